# SPDX-License-Identifier: LGPL-2.1-or-later
"""GStreamer's own leaks tracer finds nothing alive after a pipeline has ended."""

import time

import traffic
from base import InteropTest, opposite
from memif_peer import Peer
from pipeline import Pipeline, responder, stand_in

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
            text = pipe.output()
            # The tracer says something about every run, so silence would mean it did not run.
            self.assertIn("leaks", text)
            alive = [line for line in text.splitlines()
                     if "object-alive," in line and "new format string" not in line]
            self.assertEqual(alive, [])
            pipe.stop = lambda: None

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
                            peer.connect(20)
                            traffic.one_echo(peer)
                            mac, _ = traffic.resolve(peer)
                            flow = traffic.packets.EchoFlow(4, size, mac, 500)
                            traffic.echo(peer, flow, 500, 100)
                            peer.disconnect()
                            time.sleep(0.05)

                    self.assert_clean(responder(path, role, src=dict(batches=batches)), visits)

    def test_without_a_peer(self):
        self.assert_clean(responder(self.socket(), "slave"), lambda: time.sleep(0.2))
