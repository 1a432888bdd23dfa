# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Peers that try to make us wait: for an eventfd, a ring, a message. Nobody waits, whatever ends.

Limits of time are far above what things take (shutdown: less than 0.1 s), as machines are loaded;
what these tests are afraid of does not end at all.
"""

import contextlib
import os
import threading
import time

import hostile_master
import hostile_slave
import packets
import pipeline
import traffic
from base import InteropTest
from hostile import NotRefused, make_blocking, saturate, settle, wait_refused
from memif_peer import Peer
from memif_wire import Gone, ProtocolError, Refused
from pipeline import Pipeline, responder
from test_bridge import bridge

LIMIT = 20.0
WRITERS = (0, 1, 16)


class Filler:
    """Keeps an eventfd full and blocking, with threads that refill it after each read."""

    def __init__(self, fd, threads):
        self.fd, self.stop = fd, False
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    def _run(self):
        while not self.stop:
            os.eventfd_write(self.fd, (1 << 64) - 2)

    def __enter__(self):
        os.set_blocking(self.fd, False)
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.fd)
        saturate(self.fd)
        make_blocking(self.fd)
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop = True
        os.set_blocking(self.fd, False)
        while any(thread.is_alive() for thread in self.threads):
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self.fd)
            time.sleep(0.001)


def assert_ends(pipe):
    """Interrupted, it ends at once and well."""
    pipe.wait_started()
    began = time.monotonic()
    pipe.stop(2 * LIMIT)
    took = time.monotonic() - began
    if took > LIMIT:
        raise AssertionError(f"the end took {took:.2f} s")


class HeldUp:
    """The same for both roles of the pipeline."""

    role = None

    @classmethod
    def why_not(cls):
        return "the stand-in waits for its peer" if pipeline.stand_in() else super().why_not()

    @contextlib.contextmanager
    def attacked(self, state="up", description=None):
        """A pipeline and an attacker whose handshake got so far: (pipeline, attacker)."""
        path = self.socket(f"{self.role}{time.monotonic_ns()}")
        with contextlib.ExitStack() as stack:
            peer = None
            if self.role == "slave":
                peer = stack.enter_context(Peer("master", path)).listen()
            pipe = Pipeline((description or responder)(path, self.role))
            stack.callback(pipe.kill)
            if self.role == "master":
                self.wait_socket(path)
                attacker = stack.enter_context(hostile_slave.slave_at(path, state))
            else:
                attacker = stack.enter_context(hostile_master.master_at(peer.listener, state))
            self.path, self.peer = path, peer
            yield pipe, attacker

    def serve(self):
        """An honest peer in place of the attacker."""
        if self.role == "master":
            traffic.good_peer("slave", self.path)
        else:
            self.peer.connect()
            traffic.one_echo(self.peer)

    @staticmethod
    def provoke(attacker, rounds=3):
        """Requests that are to be answered through the eventfd of the ring that we receive from."""
        with contextlib.suppress(Gone, Refused, ProtocolError):
            for _ in range(rounds):
                attacker.link.send([packets.arp_request()])
                attacker.link.tx[0].ring.kick(always=True)
                time.sleep(0.01)

    def test_full_eventfd(self):
        """The link ends with a reason, and the next peer is served."""
        for threads in WRITERS:
            with self.subTest(writers=threads), self.attacked() as (pipe, attacker):
                with Filler(attacker.link.rx[0].ring.event_fd, threads):
                    self.provoke(attacker)
                    wait_refused(attacker.channel, LIMIT)
                    attacker.channel.close()
                    self.serve()
                    assert_ends(pipe)

    def test_end_while_the_eventfd_is_full(self):
        for threads in WRITERS:
            with self.subTest(writers=threads), self.attacked() as (pipe, attacker):
                with Filler(attacker.link.rx[0].ring.event_fd, threads):
                    self.provoke(attacker)
                    assert_ends(pipe)

    def test_end_while_the_ring_is_full(self):
        """The peer does not take what a sender waits to send."""
        def generator(path, role):
            return f"packetgen ! memifsink socket-path={path} role={role} when-full=block"
        with self.attacked(description=generator) as (pipe, attacker):
            ring = attacker.link.rx[0].ring
            full = (lambda: ring.head == ring.size) if self.role == "slave" else \
                (lambda: ring.tail == ring.head)
            pipeline.wait_for(full, 10, "a full ring")
            assert_ends(pipe)

    def test_end_in_the_middle_of_a_handshake(self):
        states = ("init", "region0", "s2m0", "connect") if self.role == "master" else \
            ("dial", "init", "add-region", "add-ring", "connect")
        for state in states:
            with self.subTest(state=state), self.attacked(state) as (pipe, _):
                assert_ends(pipe)

    def test_wake_ups_for_nothing(self):
        """A peer that does nothing else loses its link, and does not keep us from ending."""
        for mode in ("interrupt", "adaptive"):
            def receiver(path, role, mode=mode):
                return responder(path, role, src={"rx_mode": mode})
            with self.subTest(rx_mode=mode), self.attacked(description=receiver) as (pipe, attacker):
                done = threading.Event()
                flood = threading.Thread(
                    target=self.flood, args=(attacker.link.tx[0].ring.event_fd, done))
                flood.start()
                try:
                    wait_refused(attacker.channel, 2 * LIMIT)
                finally:
                    done.set()
                    flood.join()
                attacker.channel.close()
                self.serve()
                assert_ends(pipe)

    @staticmethod
    def flood(fd, done):
        while not done.is_set():
            with contextlib.suppress(BlockingIOError):
                os.eventfd_write(fd, 1)


class HeldUpMasterTest(HeldUp, InteropTest):
    """The pipeline is master; the peer brings the eventfds."""

    role = "master"

    def test_semaphore(self):
        """An eventfd that counts down by one from a huge number is always readable."""
        path = self.socket("semaphore")
        with contextlib.ExitStack() as stack:
            pipe = Pipeline(responder(path, "master"))
            stack.callback(pipe.kill)
            self.wait_socket(path)
            with hostile_slave.slave_at(path, "s2m0") as slave:
                fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_SEMAPHORE)
                saturate(fd)
                slave.next.fds = [fd]
                hostile_slave.run_steps(slave.channel, slave.steps[slave.steps.index(slave.next):],
                                        slave.deadline)
                os.close(fd)
                # Refused, or seen as the one signal that it is: either way nothing keeps us busy.
                before = pipe.ticks()
                with contextlib.suppress(NotRefused):
                    wait_refused(slave.channel, 1)
                self.assertLess(pipe.ticks() - before, 50, "busy")
            before = pipe.ticks()
            traffic.good_peer("slave", path)
            self.assertLess(pipe.ticks() - before, 100, "still busy")
            assert_ends(pipe)


class HeldUpSlaveTest(HeldUp, InteropTest):
    """The pipeline is slave; the peer was given the eventfds."""

    role = "slave"


class HeldUpBridgeTest(InteropTest):
    """One port's peer keeps its eventfd full; the others do not notice."""

    @classmethod
    def why_not(cls):
        return "the stand-in is no bridge" if pipeline.stand_in() else super().why_not()

    def test_other_ports_go_on(self):
        here, bad, there = self.socket("a"), self.socket("b"), self.socket("c")
        with contextlib.ExitStack() as stack:
            pipe = Pipeline(bridge((here, "master"), (bad, "master"), (there, "master")))
            stack.callback(pipe.kill)
            sender = stack.enter_context(Peer("slave", here))
            receiver = stack.enter_context(Peer("slave", there))
            self.wait_socket(there)
            sender.connect()
            receiver.connect()
            with hostile_slave.slave_at(bad, "up") as attacker, \
                    Filler(attacker.link.rx[0].ring.event_fd, 4):
                # A port drops what comes before its link, which is known to us a moment earlier.
                pipeline.wait_for(lambda: sender.send([packets.arp_request()]) and
                                  receiver.recv(0.2), LIMIT, "the first packet")
                for _ in range(50):
                    sender.send([packets.arp_request()])
                    self.assertTrue(receiver.recv(LIMIT), "a port stands still")
                wait_refused(attacker.channel, LIMIT)
                settle(attacker.channel)
            assert_ends(pipe)
