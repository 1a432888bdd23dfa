# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Many interfaces in one process, and as many queues as an interface can have."""

import collections
import os

import packets
import pipeline
import traffic
from base import InteropTest, opposite
from memif_peer import Peer

INTERFACES = 64
QUEUES = 255
# Control socket, wake-ups of the control plane, of source and sink, a timer (slave), an epoll set,
# and one for each of two rings. Memory needs none, once it is mapped at both ends.
DESCRIPTORS = {"master": 7, "slave": 8}
OTHERS = 40     # of the process, and of the one listening socket


class ScaleTest(InteropTest):
    def interfaces(self, role):
        """All link at once, all answer; what is held does not grow when all peers come again."""
        paths = [self.socket(str(n) if role == "slave" else "memif") for n in range(INTERFACES)]
        line = " ".join(pipeline.responder(path, role, id=n, src={"rx_mode": "interrupt"},
                                           ring_size=16 if role == "slave" else None)
                        for n, path in enumerate(paths))
        peers = [Peer(opposite(role), path, n, log2=4) for n, path in enumerate(paths)]
        try:
            if role == "slave":
                for peer in peers:
                    peer.listen()
            with pipeline.Pipeline(line) as pipe:
                macs = [traffic.one_echo(peer.connect()) for peer in peers]
                held = pipeline.settled(pipe.fds)
                threads = len(os.listdir(f"/proc/{pipe.pid}/task"))
                self.assertLessEqual(len(held), INTERFACES * DESCRIPTORS[role] + OTHERS,
                                     collections.Counter(held).most_common(8))
                self.assertLess(threads, INTERFACES + 10, "threads besides those of the sources")
                mappings = pipeline.settled(pipe.mappings)
                for peer in peers:
                    peer.disconnect()
                for peer, mac in zip(peers, macs):
                    traffic.one_echo(peer.connect(), mac)
                pipeline.wait_for(lambda: pipe.fds() == held, 5, "the same descriptors")
                pipeline.wait_for(lambda: pipe.mappings() == mappings, 5, "the same mappings")
        finally:
            for peer in peers:
                peer.close()

    def test_64_interfaces_master(self):
        self.interfaces("master")

    def test_64_interfaces_slave(self):
        self.interfaces("slave")

    def queues(self, role):
        """A thread for each; a reply comes back on the queue of its request."""
        path = self.socket()
        settings = {"rx_queues": QUEUES, "tx_queues": QUEUES}
        if role == "slave":
            settings["ring_size"] = 16
        line = " ".join(pipeline.responder(path, role, src={"rx_mode": "interrupt"}, queue=n,
                                           **settings) for n in range(QUEUES))
        with Peer(opposite(role), path, log2=4, tx_queues=QUEUES, rx_queues=QUEUES) as peer:
            if role == "slave":
                peer.listen()
            with pipeline.Pipeline(line) as pipe:
                peer.connect()
                mac, _ = traffic.resolve(peer)
                for queue in range(QUEUES):
                    flow = packets.EchoFlow(4, 98, mac, 8, seed=queue)
                    pipeline.wait_for(lambda: peer.send(flow.requests(0, 8), queue) == 8, 5,
                                      f"room in queue {queue}")
                    answered = 0
                    while answered < 8:
                        replies = peer.recv(pipeline.PATIENCE, queue)
                        self.assertTrue(replies, f"no reply on queue {queue}")
                        answered += flow.judge(replies)
                self.assertEqual(peer.link.recv_now(), [], "more replies than requests")
                self.assertGreaterEqual(len(os.listdir(f"/proc/{pipe.pid}/task")), QUEUES)

    def test_255_queues_master(self):
        self.queues("master")

    def test_255_queues_slave(self):
        self.queues("slave")
