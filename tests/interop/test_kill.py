# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""The peer dies by SIGKILL in mid-traffic, again and again; the pipeline goes on.

A killed process says no goodbye: the control socket ends, and the shared memory stays as it was at
that instant, half-written descriptors and all. Afterwards the pipeline holds what it held before.
"""

import os
import random
import signal
import sys
import time

import packets
import pipeline
import traffic
from base import InteropTest, opposite
from memif_peer import Peer

ROUNDS = int(os.environ.get("MEMIF_KILLS", "20" if pipeline.stand_in() else "100"))
WARM_UP = 10
SLACK_KB = 4096     # an allocator's arenas and lazily built tables


def hammer(peer, ready):
    """In the child: connects, proves that it is served, then loads the pipeline for ever."""
    peer.connect()
    mac, _ = traffic.resolve(peer, succeeds=True)
    flow = packets.EchoFlow(4, 98, mac, 1 << 22)
    traffic.echo(peer, flow, 300, 100)
    os.write(ready, b"1")
    sizes = [packets.EchoFlow(4, size, mac, 1 << 22) for size in (64, 1500, 5000)]
    number = 0
    while True:
        peer.send(sizes[number % 3].requests(number, 64))
        peer.link.recv(0.01)
        number += 64


class KillTest(InteropTest):
    """Both roles of the pipeline."""

    def round(self, peer, delay):
        """One peer process from its first message to its death."""
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            try:
                os.close(reading)
                hammer(peer, writing)
            except BaseException as error:
                os.write(writing, repr(error).encode()[:1000])
            finally:
                os._exit(1)
        os.close(writing)
        try:
            said = os.read(reading, 1000)
            self.assertEqual(said, b"1", f"the peer was not served: {said.decode()}")
            time.sleep(delay)
        finally:
            os.close(reading)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    def held(self, pipe):
        return pipe.fds(), pipe.mappings()

    def survive(self, role):
        path = self.socket()
        peer = Peer(opposite(role), path)
        if peer.role == "master":
            peer.listen()
            self.addCleanup(peer.close)
        chance = random.Random(7)
        with pipeline.Pipeline(pipeline.responder(path, role)) as pipe:
            for _ in range(WARM_UP):
                self.round(peer, chance.uniform(0, 0.02))
            pipeline.wait_for(lambda: not any("memfd" in line for line in pipe.mappings()), 10,
                              "letting go of the memory of a link that is gone")
            before, memory = pipeline.settled(lambda: self.held(pipe)), pipe.own_memory()
            for number in range(ROUNDS):
                self.round(peer, chance.uniform(0, 0.02))
                pipe.assert_alive()
                if number % 100 == 99:
                    print(f"        {number + 1} kills, {pipe.rss()} kB", file=sys.stderr)
            try:
                pipeline.wait_for(lambda: self.held(pipe) == before, 6, "giving back")
            except AssertionError:
                self.assertEqual(before, self.held(pipe), "what the process holds has changed")
            grown = pipe.own_memory() - memory
            self.assertLess(grown, SLACK_KB, f"memory grew by {grown} kB in {ROUNDS} rounds")

    def test_pipeline_slave(self):
        self.survive("slave")

    def test_pipeline_master(self):
        self.survive("master")
