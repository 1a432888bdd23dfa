# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Wrong settings end the pipeline at once and say what is wrong; sockets are handled with care."""

import os
import socket
import stat
import time
from pathlib import Path

import memif_wire as wire
import pipeline
import traffic
from base import InteropTest
from memif_peer import Peer
from pipeline import Pipeline, responder

AT_ONCE = 5


class SettingsTest(InteropTest):
    """What gst-launch prints has to name the setting and the value."""

    @classmethod
    def why_not(cls):
        return "the stand-in checks no settings" if pipeline.stand_in() else super().why_not()

    def refused(self, description, *words):
        """Ends by itself, with an error that holds every word."""
        with_output = Pipeline(description, arguments=())
        try:
            code = with_output.wait(AT_ONCE)
            text = with_output.output()
        finally:
            with_output.kill()
        self.assertNotEqual(code, 0, text)
        self.assertGreater(code, 0, f"died of a signal:\n{text}")
        for word in words:
            self.assertIn(str(word).lower(), text.lower(), f"the error should say {word!r}")
        with_output.assert_silent()

    def test_values(self):
        path = self.socket()
        line = lambda **more: responder(path, "master", **more)     # noqa: E731
        for name, description, words in (
                ("ring-size 1000", line(ring_size=1000), ("ring-size", 1000, "power of two")),
                ("ring-size 32768", line(ring_size=32768), ("ring-size", 32768)),
                ("ring-size 0", line(ring_size=0), ("ring-size", "0")),
                ("queue not there", line(rx_queues=2, src=dict(queue=5)), ("queue", "5")),
                ("sink queue not there", line(tx_queues=2, sink=dict(queue=2)), ("queue", "2")),
                ("address no address", responder(path, addresses="not-an-address"),
                 ("address", "not-an-address")),
                ("address half wrong", responder(path, addresses="192.168.1.1,192.168.1.300"),
                 ("address", "192.168.1.300")),
                ("two ring sizes", line(src=dict(ring_size=512), sink=dict(ring_size=1024)),
                 ("ring-size", 512, 1024)),
                ("two queue counts", line(src=dict(rx_queues=2), sink=dict(rx_queues=3)),
                 ("rx-queues", 2, 3)),
                ("two modes", line(src=dict(mode="ethernet"), sink=dict(mode="ip")),
                 ("mode=ethernet of memifsrc0", "mode=ip of memifsink0")),
                ("two secrets", line(src=dict(secret="one"), sink=dict(secret="two")),
                 ("secret",)),
                ("secret too long", line(secret="s" * 25), ("secret", "24")),
                ("role unknown", responder(path, "boss"), ("role", "boss")),
                ("mode unknown", line(mode="atm"), ("mode", "atm")),
                ("rx-mode unknown", line(src=dict(rx_mode="psychic")), ("rx-mode", "psychic")),
                ("when-full unknown", line(sink=dict(when_full="cry")), ("when-full", "cry")),
        ):
            with self.subTest(name):
                self.refused(description, *words)

    def test_secret_is_not_told(self):
        """An error about a secret does not show the secret."""
        pipe = Pipeline(responder(self.socket(), "master", secret="swordfish" * 3), arguments=())
        try:
            pipe.wait(AT_ONCE)
            self.assertNotIn("swordfishsword", pipe.output())
        finally:
            pipe.kill()

    def test_paths(self):
        plain = f"{self.directory}/plain-file"
        Path(plain).write_text("not a socket\n")
        long = f"{self.directory}/{'x' * 120}"
        for role in ("master", "slave"):
            for name, path in (("too long", long), ("a file", plain)):
                with self.subTest(name, role=role):
                    self.refused(responder(path, role), path[-40:])
        with self.subTest("no directory"):
            self.refused(responder(f"{self.directory}/nowhere/m.sock", "master"),
                         f"{self.directory}/nowhere")
        with self.subTest("the file is untouched"):
            self.assertEqual(Path(plain).read_text(), "not a socket\n")
        with self.subTest("empty"):
            self.refused(responder("'\"\"'", "master"), "socket-path")

    def test_stale_socket_is_replaced(self):
        path = self.socket()
        stale = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        stale.bind(path)
        stale.listen()
        stale.close()
        with Pipeline(responder(path, "master")):
            traffic.good_peer("slave", path)

    def test_live_listener_is_left_alone(self):
        """A socket in use: an error that names it, and its owner goes on."""
        path = self.socket()
        listener = wire.listen(path)
        try:
            inode = os.stat(path).st_ino
            self.refused(responder(path, "master"), path)
            self.assertEqual(os.stat(path).st_ino, inode, "the socket file is still theirs")
        finally:
            listener.close()

    def test_two_pipelines_one_socket(self):
        """The second master with the same path loses, the first goes on serving."""
        path = self.socket()
        with Pipeline(responder(path, "master")):
            self.wait_socket(path)
            self.refused(responder(path, "master"), path)
            traffic.good_peer("slave", path)

    def test_socket_is_removed(self):
        path = self.socket()
        with Pipeline(responder(path, "master")):
            self.wait_socket(path)
        self.assertFalse(os.path.exists(path), "the socket file is gone after the end")

    def test_socket_mode(self):
        for mode in (0o600, 0o660, 0o666):
            with self.subTest(mode=oct(mode)):
                path = self.socket(oct(mode))
                with Pipeline(responder(path, "master", socket_mode=f"0{mode:o}")):
                    self.wait_socket(path)
                    pipeline.wait_for(
                        lambda: stat.S_IMODE(os.stat(path).st_mode) == mode, 2, oct(mode))

    def test_slave_waits_for_a_socket(self):
        """No listener yet is no error."""
        path = self.socket()
        with Pipeline(responder(path, "slave"), arguments=()) as pipe:
            pipe.wait_playing()
            time.sleep(0.3)
            pipe.assert_alive()
            with Peer("master", path) as peer:
                peer.connect()
                traffic.one_echo(peer)
