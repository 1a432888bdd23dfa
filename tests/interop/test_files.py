# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Files passed on arrive whole: both ends come to an end, and nothing is lost on the way."""

import os
import subprocess
import unittest

import pipeline
from base import InteropTest, opposite
from memif_peer import Peer
from pipeline import Pipeline, properties

ROLES = ("slave", "master")
CAPS = "application/x-packet,link-type=ethernet"
SIZE = int(os.environ.get("MEMIF_FILE_SIZE", 20_000_000))
TIMES = int(os.environ.get("MEMIF_FILE_TIMES", 5))
LIMIT = 120
DRAIN = 60 * 10**9    # nanoseconds without progress: the other end may be late


def frames(count, size=100):
    """Packets that differ, with arbitrary contents."""
    return [n.to_bytes(4, "big") * (size // 4) for n in range(count)]


@unittest.skipIf(pipeline.stand_in(), "the stand-in sends and receives no files")
class FilesTest(InteropTest):
    """filesrc ! memifsink and memifsrc ! filesink, and peers that leave after a burst."""

    def path(self, name):
        return f"{self.directory}/{name}"

    def receiver(self, path, role, out, middle="", **settings):
        settings = dict(socket_path=path, role=role, eos_on_disconnect="true", **settings)
        return Pipeline(f"memifsrc {properties(**settings)} ! {middle} filesink "
                        f"location={out} async=false sync=false")

    def pass_on(self, role, data, middle="", blocksize=1400, **settings):
        """What arrives of `data`, sent in this role."""
        path, source, out = self.socket(role), self.path("in"), self.path("out")
        with open(source, "wb") as file:
            file.write(data)
        receiver = self.receiver(path, opposite(role), out, middle)
        settings = dict(socket_path=path, role=role, when_down="block", drain_timeout=DRAIN,
                        **settings)
        sender = Pipeline(f"filesrc location={source} blocksize={blocksize} ! {CAPS} ! "
                          f"memifsink {properties(**settings)}")
        try:
            for each in (sender, receiver):
                self.assertEqual(each.wait(LIMIT), 0, each.output())
                self.assertNotRegex(each.output(), "ERROR|WARNING|INFO")
            with open(out, "rb") as file:
                return file.read()
        finally:
            for each in (sender, receiver):
                each.kill()

    def test_files_arrive_whole(self):
        for role in ROLES:
            for turn in range(TIMES):
                with self.subTest(role=role, turn=turn):
                    data = os.urandom(SIZE)
                    self.assertTrue(self.pass_on(role, data) == data, "not what was sent")

    def test_a_slow_receiver(self):
        """A millisecond for each packet, and many of them in the ring when the sender is done."""
        for role in ROLES:
            with self.subTest(role=role):
                data = os.urandom(600 * 100)
                arrived = self.pass_on(role, data, "identity sleep-time=1000 !", 100)
                self.assertTrue(arrived == data, f"{len(arrived)} of {len(data)} bytes")

    def test_a_receiver_without_patience_of_the_sender(self):
        """A sender that does not drain leaves a ring that is received all the same."""
        for role in ROLES:
            with self.subTest(role=role):
                data = os.urandom(600 * 100)
                path, out = self.socket(role), self.path("out")
                with open(self.path("in"), "wb") as file:
                    file.write(data)
                receiver = self.receiver(path, opposite(role), out, "identity sleep-time=1000 !")
                try:
                    command = (f"filesrc location={self.path('in')} blocksize=100 ! {CAPS} ! "
                               f"memifsink drain-timeout=0 when-down=block socket-path={path} "
                               f"role={role}")
                    done = subprocess.run(["gst-launch-1.0", *command.split()],
                                          env=pipeline.environment(), capture_output=True,
                                          text=True, timeout=LIMIT)
                    self.assertEqual(done.returncode, 0)
                    self.assertRegex(done.stdout + done.stderr, r"of 600 packets")
                    self.assertEqual(receiver.wait(LIMIT), 0)
                    with open(out, "rb") as file:
                        self.assertTrue(file.read() == data)
                finally:
                    receiver.kill()

    def test_peers_that_publish_and_are_gone(self):
        """No goodbye, no wait: the descriptors close as they do when a process is killed."""
        for role in ROLES:
            with self.subTest(role=role):
                path, out = self.socket(role), self.path("out")
                expected = b""
                with Pipeline(f"memifsrc socket-path={path} role={role} ! filesink "
                              f"location={out} async=false sync=false buffer-mode=unbuffered"):
                    with Peer(opposite(role), path) as peer:
                        if peer.role == "master":
                            peer.listen()
                        for turn in range(20):
                            peer.connect()
                            burst = frames(200, 100 + 4 * turn)
                            sent = peer.send(burst, timeout=pipeline.PATIENCE)
                            self.assertEqual(sent, len(burst))
                            peer.disconnect()
                            expected += b"".join(burst)
                    pipeline.wait_for(lambda: os.path.getsize(out) >= len(expected), LIMIT,
                                      "the arrival of all packets")
                with open(out, "rb") as file:
                    self.assertTrue(file.read() == expected)

    def test_a_run_without_a_peer_is_not_silent(self):
        command = (f"fakesrc num-buffers=30 sizetype=fixed sizemax=60 ! {CAPS} ! "
                   f"memifsink socket-path={self.socket()}")
        done = subprocess.run(["gst-launch-1.0", *command.split()], capture_output=True,
                              env=pipeline.environment(), text=True, timeout=LIMIT)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout + done.stderr, r"(?s)WARNING.*None of 30 packets.*no peer")


if __name__ == "__main__":
    unittest.main()
