# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""DPDK between an honest peer and the pipeline: peer <-> testpmd port 0, port 1 <-> pipeline.

testpmd's client connects when it starts and never again, so whoever it dials listens before it.
Sizes only grow: as client, DPDK before 26.03 leaves NEXT set in slots that chains have used, and
then sends broken chains when packets are short again. That is no fault of the other side.
"""

import contextlib
import os

import packets
import pipeline
import testpmd
import traffic
from base import InteropTest, opposite
from memif_peer import Peer

COUNT = int(os.environ.get("MEMIF_ECHOES", "2000" if pipeline.stand_in() else "100000"))
WINDOWS = {64: 256, 1500: 256, 9000: 64}    # requests under way; 9000 bytes take 5 slots


class TestpmdTest(InteropTest):
    """Both role combinations, three sizes, both families."""

    @classmethod
    def why_not(cls):
        return testpmd.missing() or super().why_not()

    @contextlib.contextmanager
    def chain(self, near, far, **settings):
        """The whole chain, up; `near` and `far` are testpmd's roles at port 0 and port 1."""
        here, there = self.socket("near"), self.socket("far")
        line = pipeline.responder(there, opposite(far), **settings)
        with contextlib.ExitStack() as stack:
            peer = stack.enter_context(Peer(opposite(near), here))
            if peer.role == "master":
                peer.listen()
            pipe = stack.enter_context(pipeline.Pipeline(line))
            if far == "client":
                self.wait_socket(there)
            pmd = stack.enter_context(testpmd.Testpmd(
                testpmd.memif(0, near, here), testpmd.memif(1, far, there)))
            peer.connect()
            pmd.wait_started()
            yield peer, pmd, pipe
            pipe.assert_alive()

    def serve(self, near, far, **settings):
        with self.chain(near, far, **settings) as (peer, pmd, _):
            sample, total = [], 0
            for version in (4, 6):
                mac, pair = traffic.resolve(peer, version)
                sample += pair
            for version, size, count in ((4, 64, COUNT), (6, 64, COUNT // 10),
                                         (4, 1500, COUNT), (6, 1500, COUNT // 10),
                                         (4, 9000, COUNT), (6, 9000, COUNT // 10)):
                with self.subTest(version=version, size=size):
                    flow = packets.EchoFlow(version, size, mac, count)
                    some = []
                    traffic.echo(peer, flow, count, WINDOWS[size], sample=some)
                    self.assertEqual(flow.answered, count)
                    self.assertEqual(flow.seen.count(1), count)
                    sample += some
                    total += count
            traffic.second_opinion(sample, self.directory)
            ports = pmd.stop()
            for port, (received, sent, dropped) in ports.items():
                # Every echo was counted above. Questions may have come before the far link was up.
                self.assertLessEqual(dropped, peer.questions, f"port {port} could not send all")
                self.assertGreaterEqual(received, total, f"port {port}: {ports}")
                self.assertGreaterEqual(sent, total, f"port {port}: {ports}")

    def test_pipeline_slave_of_server(self):
        self.serve("server", "server")

    def test_pipeline_master_of_client(self):
        self.serve("client", "client")

    def test_pipeline_slave_of_server_polling(self):
        with self.chain("server", "server", src=dict(rx_mode="polling")) as (peer, _, _pipe):
            mac, _ = traffic.resolve(peer)
            traffic.echo(peer, packets.EchoFlow(4, 9000, mac), COUNT // 10, 64)

    def test_pipeline_master_of_client_adaptive(self):
        with self.chain("server", "client", src=dict(rx_mode="adaptive")) as (peer, _, _pipe):
            mac, _ = traffic.resolve(peer)
            traffic.echo(peer, packets.EchoFlow(4, 9000, mac), COUNT // 10, 64)
