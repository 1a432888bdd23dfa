# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Mixed traffic for minutes, with links going up and down: memory and descriptors stay flat.

Kept out of the usual run: `tests/run.sh --soak`, or `run.py --build DIR soak`. MEMIF_SOAK says how
many seconds (600).
"""

import os
import random
import sys
import time

import packets
import pipeline
import test_kill
import traffic
from base import opposite
from memif_peer import Peer

SECONDS = int(os.environ.get("MEMIF_SOAK", "600"))
RSS_SLACK_KB = 8192
ENDS = (("master", 0), ("master", 7), ("slave", 0), ("slave", 1))


class Soak(test_kill.KillTest):
    """One process with four interfaces, two a role; what happens next is drawn by lot."""

    test_pipeline_slave = test_pipeline_master = None

    def visit(self, peer, chance):
        """A peer that comes, exchanges packets of all kinds, and leaves in one way or another."""
        if chance.random() < 0.3:
            self.round(peer, chance.uniform(0, 0.05))
            return 0
        peer.connect(20)
        done = 0
        for _ in range(chance.randint(1, 4)):
            version = chance.choice((4, 6))
            size = chance.choice((90, 98, 570, 1500, 5000, 9000))
            count = chance.choice((1, 31, 256, 2000))
            mac, _ = traffic.resolve(peer, version)
            flow = packets.EchoFlow(version, size, mac, count)
            done += traffic.echo(peer, flow, count, 64)
        if chance.random() < 0.5:
            peer.disconnect()
        else:
            peer.link.close()       # without a goodbye
            peer.link = None
        return done

    def test_soak(self):
        chance = random.Random(3)
        paths = {role: self.socket(role) for role, _ in ENDS}
        line = " ".join(pipeline.responder(paths[role] + (f".{n}" if role == "slave" else ""),
                                           role, id=n) for role, n in ENDS)
        peers = []
        for role, number in ENDS:
            path = paths[role] + (f".{number}" if role == "slave" else "")
            peers.append(Peer(opposite(role), path, id=number))
            if role == "slave":
                peers[-1].listen()
            self.addCleanup(peers[-1].close)
        with pipeline.Pipeline(line) as pipe:
            done = visits = 0
            before = memory = None
            start = told = time.monotonic()
            while time.monotonic() - start < SECONDS:
                done += self.visit(chance.choice(peers), chance)
                visits += 1
                pipe.assert_alive()
                if before is None and visits >= 40:
                    before, memory = self.quiet(pipe), pipe.rss()
                if time.monotonic() - told > 60:
                    told = time.monotonic()
                    print(f"        {told - start:.0f} s: {visits} links, {done} echoes, "
                          f"{pipe.rss()} kB, {len(pipe.fds())} descriptors", file=sys.stderr)
            self.assertIsNotNone(before, "too short a run to tell")
            pipeline.wait_for(lambda: self.held(pipe) == before, 10, "giving back")
            grown = pipe.rss() - memory
            print(f"        {visits} links, {done} echoes, memory {memory} kB {grown:+} kB",
                  file=sys.stderr)
            self.assertLess(grown, RSS_SLACK_KB, f"memory grew by {grown} kB")
            self.assertGreater(done, SECONDS * 100, "hardly any traffic")
