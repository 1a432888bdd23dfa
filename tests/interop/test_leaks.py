# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""GStreamer's own leaks tracer finds nothing alive after a pipeline has ended."""

import os
import random
import subprocess
import time
from pathlib import Path

import pipeline
import traffic
from base import InteropTest, opposite
from memif_peer import Peer
from pipeline import Pipeline, properties, responder, stand_in

RUNS = int(os.environ.get("MEMIF_LEAK_RUNS", "50"))
START_STOP = Path(__file__).resolve().parent / "start_stop.py"
TRACER = {"GST_TRACERS": "leaks", "GST_DEBUG": "GST_TRACER:7"}


class LeaksTest(InteropTest):
    """Buffers, batches, caps and elements, with peers that come and go under traffic."""

    @classmethod
    def why_not(cls):
        return "the stand-in is no GStreamer program" if stand_in() else super().why_not()

    def assert_clean(self, description, use):
        with Pipeline(description, env=TRACER) as pipe:
            pipe.wait_started()
            use()
            pipe.stop()
            self.assert_nothing_alive(pipe.output())
            pipe.stop = lambda: None

    def assert_nothing_alive(self, text):
        # The tracer says something about every run, so silence would mean it did not run.
        self.assertIn("leaks", text)
        alive = [line for line in text.splitlines()
                 if "object-alive," in line and "new format string" not in line]
        self.assertEqual(alive, [])

    def both_ends(self, role):
        """A responder in this role, and its client in the other."""
        path = self.socket(role)
        end = properties(socket_path=path, role=opposite(role))
        return [responder(path, role),
                f"packetgen protocol=icmp-echo destination-address=192.168.1.1 rate=50kpps ! "
                f"memifsink {end} memifsrc {end} ! packetcheck"]

    def test_responder(self):
        for role in ("slave", "master"):
            for batches in ("true", "false"):
                with self.subTest(role=role, batches=batches):
                    path = self.socket(f"{role}-{batches}")
                    peer = Peer(opposite(role), path)
                    if peer.role == "master":
                        peer.listen()
                    self.addCleanup(peer.close)

                    def visits(peer=peer):
                        for size in (64, 9000, 1500):
                            peer.connect()
                            traffic.one_echo(peer)
                            mac, _ = traffic.resolve(peer)
                            flow = traffic.packets.EchoFlow(4, size, mac, 500)
                            traffic.echo(peer, flow, 500, 100)
                            peer.disconnect()
                            time.sleep(0.05)

                    self.assert_clean(responder(path, role, src=dict(batches=batches)), visits)

    def test_runs_in_one_process(self):
        """Stopped before, while and after the ends find each other."""
        for role in ("slave", "master"):
            with self.subTest(role=role):
                done = subprocess.run(
                    ["/usr/bin/python3", START_STOP, str(RUNS), *self.both_ends(role)],
                    env={**pipeline.environment(), **TRACER}, capture_output=True, text=True,
                    timeout=60 + RUNS)
                text = done.stdout + done.stderr
                self.assertEqual(done.returncode, 0, text[-6000:])
                self.assertNotRegex(text, pipeline.COMPLAINTS)
                self.assert_nothing_alive(text)

    def test_runs_in_processes(self):
        """Both roles in each, interrupted at any time."""
        dice = random.Random(1)
        description = " ".join(self.both_ends("slave"))
        for _ in range(RUNS):
            self.assert_clean(description, lambda: time.sleep(dice.uniform(0, 0.02)))

    def test_without_a_peer(self):
        self.assert_clean(responder(self.socket(), "slave"), lambda: time.sleep(0.2))
