# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Nothing to do means doing nothing: no CPU time, no waking up."""

import time

import pipeline
import traffic
from base import InteropTest, opposite
from memif_peer import Peer

SECONDS = 3
# Of all threads together: a timer per second would be 3.
WAKE_UPS = 6


class IdleTest(InteropTest):
    """Interrupt mode, with and without a peer, and adaptive mode once it has calmed down."""

    def watch(self, pipe):
        self.assertIsNone(pipeline.idle(lambda: self.disturbance(pipe)))

    @staticmethod
    def disturbance(pipe):
        """What is not idle for some seconds, or None."""
        ticks, switches = pipe.ticks(), pipe.switches()
        time.sleep(SECONDS)
        used = pipe.ticks() - ticks
        if used > 1:
            return f"{used} clock ticks used while idle"
        woken = {name: count - switches.get(name, 0) for name, count in pipe.switches().items()}
        return f"threads woke up: {woken}" if sum(woken.values()) > WAKE_UPS else None

    def idle(self, role, **settings):
        path = self.socket()
        with Peer(opposite(role), path) as peer:
            if peer.role == "master":
                peer.listen()
            with pipeline.Pipeline(pipeline.responder(path, role, src=settings)) as pipe:
                peer.connect()
                mac = traffic.one_echo(peer)
                if pipeline.stand_in():
                    return
                time.sleep(0.2)
                self.watch(pipe)
                traffic.one_echo(peer, mac)

    def test_slave(self):
        self.idle("slave", rx_mode="interrupt")

    def test_master(self):
        self.idle("master", rx_mode="interrupt")

    def test_adaptive(self):
        self.idle("slave", rx_mode="adaptive")

    def test_master_without_peer(self):
        path = self.socket()
        with pipeline.Pipeline(pipeline.responder(path, "master")) as pipe:
            self.wait_socket(path)
            if not pipeline.stand_in():
                time.sleep(0.5)
                self.watch(pipe)
