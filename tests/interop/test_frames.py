# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Frames between two gst-launch processes, and what these say of frames that cannot be sent."""

import hashlib
import os
import subprocess
from pathlib import Path

import pipeline
from base import InteropTest, opposite
from memif_peer import Peer
from pipeline import Pipeline, properties, wait_for

FRAMES = 40
WIDTH, HEIGHT = 640, 480
LENGTH = WIDTH * HEIGHT * 3 // 2
CAPS = f"video/x-raw,format=I420,width={WIDTH},height={HEIGHT},framerate=30/1"
ROLES = ("slave", "master")


def painted(frames=FRAMES):
    return f"videotestsrc pattern=ball num-buffers={frames} ! {CAPS}"


class FramesTest(InteropTest):
    """Every frame arrives as it was painted."""

    @classmethod
    def why_not(cls):
        if pipeline.stand_in():
            return "needs two pipelines"
        return super().why_not()

    def setUp(self):
        self.path = self.socket()
        self.file = Path(self.directory, f"{self.id().rsplit('.', 1)[1]}.raw")

    def wait_frames(self, count):
        wait_for(lambda: self.file.exists() and self.file.stat().st_size >= count * LENGTH, 20,
                 f"{count} frames")

    def digest(self):
        return hashlib.sha256(self.file.read_bytes()).hexdigest()

    def launch(self, description, timeout=120):
        """What it printed; it has to end by itself."""
        done = subprocess.run(["gst-launch-1.0", *description.split()], capture_output=True,
                              text=True, timeout=timeout, env=pipeline.environment())
        return done.returncode, done.stdout + done.stderr

    def expected(self):
        """The digest of all frames without memif."""
        code, text = self.launch(f"{painted()} ! filesink location={self.file}")
        self.assertEqual(code, 0, text)
        self.assertEqual(self.file.stat().st_size, FRAMES * LENGTH)
        return self.digest()

    def ends(self, role, rings):
        here = properties(socket_path=self.path, role=role, **rings)
        there = properties(socket_path=self.path, role=opposite(role), **rings)
        return here, there

    def transfer(self, receiver, sender):
        with Pipeline(receiver) as receiving:
            code, text = self.launch(sender)
            self.assertEqual(code, 0, text)
            self.assertEqual(receiving.wait(30), 0, receiving.output())
            receiving.assert_silent()
            receiving.stop = lambda: None       # it has ended
        return self.digest()

    def test_raw(self):
        """In one buffer, in several, in buffers of any length that lie next to each other."""
        digest = self.expected()
        for role in ROLES:
            for rings in (dict(buffer_size=LENGTH, ring_size=8), dict(buffer_size=2048),
                          dict(buffer_size=320, ring_size=4096), dict(buffer_size=65536,
                                                                      ring_size=16)):
                for lend in ("raw", "never"):
                    with self.subTest(role=role, lend=lend, **rings):
                        here, there = self.ends(role, rings)
                        self.assertEqual(digest, self.transfer(
                            f"memifsrc {here} caps={CAPS} eos-on-disconnect=true "
                            f"lend-frames={lend} ! filesink location={self.file}",
                            f"{painted()} ! memifsink {there} any-caps=true when-down=block"))

    def test_gdp(self):
        """The stream ends with the sender's, of which caps are known by GDP alone."""
        digest = self.expected()
        for role in ROLES:
            for lend in ("raw", "always"):
                with self.subTest(role=role, lend=lend):
                    here, there = self.ends(role, dict(buffer_size=LENGTH + 62, ring_size=8))
                    self.assertEqual(digest, self.transfer(
                        f"memifsrc {here} lend-frames={lend} ! gdpdepay ! "
                        f"filesink location={self.file}",
                        f"{painted()} ! gdppay ! memifsink {there} when-down=block"))

    def test_a_queue_that_holds_all(self):
        """More than may be lent, for longer than a master waits."""
        digest = self.expected()
        for role in ROLES:
            with self.subTest(role=role):
                here, there = self.ends(role, dict(buffer_size=LENGTH, ring_size=8))
                self.assertEqual(digest, self.transfer(
                    f"memifsrc {here} caps={CAPS} eos-on-disconnect=true ! "
                    f"queue max-size-bytes=0 max-size-time=0 max-size-buffers=1000 ! "
                    f"identity sleep-time=20000 ! filesink location={self.file}",
                    f"{painted()} ! memifsink {there} any-caps=true when-down=block"))

    def test_the_sender_is_killed(self):
        """What it had sent is whole, also what is on loan in its memory."""
        for role in ROLES:
            with self.subTest(role=role):
                here, there = self.ends(role, dict(buffer_size=LENGTH, ring_size=16))
                receiver = (f"memifsrc {here} caps={CAPS} eos-on-disconnect=true ! "
                            f"queue ! identity sleep-time=5000 ! filesink location={self.file}")
                sender = (f"videotestsrc pattern=white ! {CAPS} ! "
                          f"memifsink {there} any-caps=true when-down=block")
                self.file.unlink(missing_ok=True)
                with Pipeline(receiver) as receiving, Pipeline(sender) as sending:
                    self.wait_frames(10)
                    sending.kill()
                    self.assertEqual(receiving.wait(30), 0, receiving.output())
                    receiving.stop = sending.stop = lambda: None
                frames = self.file.read_bytes()
                self.assertEqual(len(frames) % LENGTH, 0)
                frame = frames[:LENGTH]
                self.assertEqual(frame[:WIDTH], bytes([235]) * WIDTH)
                self.assertEqual(frames, frame * (len(frames) // LENGTH))

    def test_a_receiver_is_killed(self):
        """The sender goes on with the next one, in memory that the first one had on loan."""
        for role in ROLES:
            with self.subTest(role=role):
                here, there = self.ends(role, dict(buffer_size=LENGTH, ring_size=8))
                sender = (f"videotestsrc is-live=true pattern=white ! {CAPS} ! "
                          f"memifsink {here} any-caps=true")
                receiver = (f"memifsrc {there} caps={CAPS} ! queue ! "
                            f"filesink location={self.file} buffer-mode=unbuffered")
                with Pipeline(sender) as sending:
                    for _ in range(5):
                        self.file.unlink(missing_ok=True)
                        with Pipeline(receiver) as receiving:
                            self.wait_frames(2)
                            receiving.kill()
                            receiving.stop = lambda: None
                        sending.assert_alive()

    def test_chains_of_a_foreign_peer(self):
        """Its buffers lie next to each other, and it knows nothing of frames."""
        length = 40 * 1024
        frames = [os.urandom(length) for _ in range(50)]
        caps = "video/x-raw,format=GRAY8,width=1024,height=40,framerate=30/1"
        for role in ROLES:
            with self.subTest(role=role), Peer(opposite(role), self.path) as peer:
                if peer.role == "master":
                    peer.listen()
                with Pipeline(f"memifsrc {properties(socket_path=self.path, role=role)} "
                              f"caps={caps} eos-on-disconnect=true ! "
                              f"filesink location={self.file}") as receiving:
                    peer.connect()
                    for frame in frames:
                        wait_for(lambda: peer.send([frame]) == 1, 10, "room")
                    peer.close()
                    self.assertEqual(receiving.wait(30), 0, receiving.output())
                    receiving.stop = lambda: None
                self.assertEqual(self.file.read_bytes(), b"".join(frames))

    def test_a_payloader_is_told_where_to_go(self):
        for payloader in ("rtpvrawpay", "rtpgstpay"):
            with self.subTest(payloader):
                code, text = self.launch(f"{painted(3)} ! {payloader} ! "
                                         f"memifsink socket-path={self.path}")
                self.assertNotEqual(code, 0)
                for word in ("ERROR", "application/x-rtp", "memifudpsink", "iphost"):
                    self.assertIn(word, text)

    def test_a_frame_that_no_ring_holds(self):
        """The sender says what to set; with that, frames arrive."""
        here, there = self.ends("master", dict(buffer_size=2048, ring_size=128))
        receiver = (f"memifsrc {here} caps={CAPS} eos-on-disconnect=true ! "
                    f"filesink location={self.file}")
        with Pipeline(receiver) as receiving:
            code, text = self.launch(f"{painted(3)} ! memifsink {there} any-caps=true "
                                     "when-down=block")
            self.assertEqual(code, 0, text)
            self.assertEqual(receiving.wait(30), 0)
            receiving.stop = lambda: None
        self.assertEqual(self.file.stat().st_size, 0)
        self.assertIn(f"buffer-size={LENGTH} ring-size=16", text)
        self.assertEqual(text.count("WARNING"), 2, text)    # of the first one, and at the end
        digest = self.expected()
        here, there = self.ends("master", dict(buffer_size=LENGTH, ring_size=16))
        self.assertEqual(digest, self.transfer(
            f"memifsrc {here} caps={CAPS} eos-on-disconnect=true ! filesink location={self.file}",
            f"{painted()} ! memifsink {there} any-caps=true when-down=block"))
