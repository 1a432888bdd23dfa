# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Packets and descriptors that change while an element looks at them: see racing.py."""

import pipeline
import traffic
from base import InteropTest, opposite
from memif_peer import Peer
from memif_wire import Gone, ProtocolError, Refused
from pipeline import Pipeline, properties
from racing import SOLICITATION, VERSION, Racer

PACKETS, FLOOD, DESCRIPTORS = 1.0, 5.0, 0.3     # seconds of each
ROUNDS = 20     # are the least


def responder(common, src, _):
    return (f"memifsrc {common} {src} ! icmpresponder address={pipeline.ADDRESSES} ! "
            f"memifsink {common}")


def bridge(common, src, name):
    return (f"ethbridge name={name} memifsrc {common} {src} ! {name}.sink_0 "
            f"{name}.src_0 ! memifsink {common} {name}.src_1 ! fakesink async=false sync=false")


def check(common, src, _):
    return f"memifsrc {common} {src} ! packetcheck timeout=0"


RACES = [(element, batches) for element in (responder, bridge, check)
         for batches in ("true", "false")]


class RacingTest(InteropTest):
    """Each element that looks at packets, with batches and without, all in one process."""

    @classmethod
    def why_not(cls):
        return "the stand-in has no elements" if pipeline.stand_in() else super().why_not()

    def path(self, role, number):
        return self.socket(f"{role[:1]}{number}")

    def start(self, role):
        # Small rings: few buffers, which come round quickly.
        return Pipeline(" ".join(
            element(properties(socket_path=self.path(role, number), role=role, ring_size=16),
                    f"batches={batches}", f"br{number}")
            for number, (element, batches) in enumerate(RACES)),
            # Dies by a fault, where gst-launch would wait for a debugger.
            arguments=("-q", "--no-fault"))

    def race(self, pipe, peer, element, batches, role):
        """One peer against one chain of the pipeline; a dead pipeline is its failure."""
        racer = Racer(peer)
        try:
            racer.run(PACKETS)
            if element is responder and (role == "slave" or batches == "true"):
                # Where what is looked at is also written to: as master in the buffers of the replies.
                racer.flood(FLOOD, SOLICITATION, VERSION[0], (0x60, 0x10))
            racer.run(DESCRIPTORS, descriptors=True)
            for _ in range(60):     # on a machine that is busy
                if racer.rounds > ROUNDS:
                    break
                racer.run(PACKETS)
            peer.disconnect()
            if element is responder:
                peer.connect()
                traffic.one_echo(peer)
        except (AssertionError, OSError, TimeoutError, Gone, Refused, ProtocolError):
            pipe.assert_alive()
            raise
        pipe.assert_alive()
        self.assertGreater(racer.rounds, ROUNDS, "rounds that were raced")

    def race_all(self, role):
        pipe = self.start(role)
        self.addCleanup(lambda: pipe.kill())
        for number, (element, batches) in enumerate(RACES):
            with self.subTest(element=element.__name__, batches=batches):
                if not pipe.alive():
                    pipe = self.start(role)
                with Peer(opposite(role), self.path(role, number), log2=4) as peer:
                    self.race(pipe, peer, element, batches, role)
        with self.subTest(end="clean"):
            pipe.stop()

    def test_slave(self):
        self.race_all("slave")

    def test_master(self):
        self.race_all("master")
