# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""What a hostile master may do to a slave that dials it: one entry of ATTACKS per violation.

Each attack gets the listening socket, accepts the slave, misbehaves once and hangs up. It may
raise NotRefused when the slave should have hung up first. The slave has to dial again; whether it
does and serves is asked by the test.
"""

import contextlib
import fcntl
import os
import socket
import struct
import time
from functools import partial

import memif_wire as wire
import packets
from hostile import (NotRefused, Scribbler, desc, make_blocking, punch_hole, raw,
                     saturate, settle, wait_refused, wrong_messages)
from memif_peer import Config, MasterSession
from memif_ring import DESC, NEXT
from memif_wire import Channel, Gone, ProtocolError, Refused

ATTACKS = {}
MAC = b"\xff" * 6
DIAL_TIMEOUT = 12.0     # how long a slave may pause before it dials again


def attack(function):
    ATTACKS[function.__name__.replace("_", "-")] = function
    return function


class Master:
    """Accepts one slave and answers it correctly up to a chosen state."""

    def __init__(self, listener):
        self.deadline = time.monotonic() + DIAL_TIMEOUT
        self.channel = Channel.accept(listener, self.deadline)
        self.session = MasterSession(self.channel, Config())
        self.link = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()
        self.session.close()

    # States are named after the message of the slave that waits for our answer.

    def until(self, state):
        if state == "dial":
            return self
        self.channel.send(wire.hello("hostile"))
        message = self.channel.expect(wire.INIT, self.deadline)
        self.session._init(message)
        while state != message.name_of_type.lower().replace("_", "-"):
            self.channel.send(wire.ack())
            message = self.channel.recv(self.deadline - time.monotonic())
            if message.type == wire.CONNECT:
                self.last = message
                if state == "connect":
                    break
                self.link = self.session._connect(message)
                break
            self.session._add(message)
        return self

    def up(self):
        self.until("up")
        self.wait_lent()
        return self

    def wait_lent(self):
        """Until the slave has lent buffers, which it does after CONNECTED."""
        while self.link.tx and not self.link.tx[0].ring.head:
            self.link.check()
            if time.monotonic() > self.deadline:
                raise AssertionError("the slave lends no buffers")
            time.sleep(0.001)

    def traffic(self, count=64, seconds=0.1):
        flow = packets.EchoFlow(4, 98, MAC)
        with contextlib.suppress(Gone, Refused, ProtocolError, TimeoutError):
            self.link.send(flow.requests(0, count))
            self.link.tx[0].ring.kick(always=True)
            self.link.recv(seconds)


def master_at(listener, state):
    master = Master(listener)
    try:
        return master.up() if state == "up" else master.until(state)
    except BaseException:
        master.__exit__()
        raise


# --- messages: every wrong one in every state --------------------------------------------------

STATES = ("dial", "init", "add-region", "add-ring", "connect", "up")
LEGAL = {("dial", "hello"), ("init", "ack"), ("add-region", "ack"), ("add-ring", "ack"),
         ("connect", "connected")}


ATTACKS.update(wrong_messages(STATES, LEGAL, master_at))


def leave(state, how, listener):
    with master_at(listener, state) as master:
        if how == "disconnect":
            master.channel.send(wire.disconnect("hostile", 7))
        elif how == "half-close":
            master.channel.sock.shutdown(socket.SHUT_WR)
            wait_refused(master.channel)
        elif how == "empty-message":
            master.channel.send(b"")


for _state in STATES:
    for _how in ("eof", "disconnect", "half-close", "empty-message"):
        ATTACKS[f"leave-by-{_how}-at-{_state}"] = partial(leave, _state, _how)


def silence(state, listener):
    """No answer at all: the slave's own time-out has to end it."""
    with master_at(listener, state) as master:
        wait_refused(master.channel)


for _state in ("dial", "init", "connect"):
    ATTACKS[f"silence-at-{_state}"] = partial(silence, _state)


def says(state, data, fds, refused, listener):
    """One message, with descriptors of an eventfd if asked for, then a moment of patience."""
    with master_at(listener, state) as master:
        event = os.eventfd(0, os.EFD_NONBLOCK)
        try:
            with contextlib.suppress(Gone):
                master.channel.send(data, [event] * fds)
        finally:
            os.close(event)
        if refused:
            wait_refused(master.channel)
        else:
            settle(master.channel)


for _name, _data in {
        "versions-reversed": wire.hello(min_version=0x300, max_version=0x100),
        "version-too-new": wire.hello(min_version=0x201, max_version=0x300),
        "version-too-old": wire.hello(min_version=0x100, max_version=0x1FF)}.items():
    ATTACKS[f"hello-{_name}"] = partial(says, "dial", _data, 0, True)
for _name, _data in {
        "log2-0": wire.hello(max_log2=0), "log2-255": wire.hello(max_log2=255),
        "log2-15": wire.hello(max_log2=15), "regions-0": wire.hello(max_region=0),
        "rings-0": wire.hello(max_m2s=0, max_s2m=0),
        "limits-65535": wire.hello(max_region=65535, max_m2s=65535, max_s2m=65535),
        "name-unterminated": wire.hello(b"h" * 32),
        "name-not-utf8": wire.hello(b"\xff\xfe%n%s")}.items():
    ATTACKS[f"hello-{_name}"] = partial(says, "dial", _data, 0, False)
for _state, _data in (("dial", wire.hello()), ("init", wire.ack()), ("add-region", wire.ack()),
                      ("add-ring", wire.ack()), ("connect", wire.connected())):
    for _count in (1, 3, 253):
        ATTACKS[f"{_count}-descriptors-at-{_state}"] = partial(says, _state, _data, _count, False)
ATTACKS["connected-name-unterminated"] = partial(says, "connect", wire.connected(b"c" * 32), 0,
                                                 False)
ATTACKS["connected-name-not-utf8"] = partial(says, "connect", wire.connected(b"\xff\xc0%n"), 0,
                                             False)
for _state in ("init", "connect", "up"):
    ATTACKS[f"disconnect-unterminated-at-{_state}"] = partial(
        says, _state, wire.disconnect(b"x" * 96, 0xFFFFFFFF), 0, True)
    ATTACKS[f"disconnect-not-utf8-at-{_state}"] = partial(
        says, _state, wire.disconnect(b"\xff\xfe%s%n" * 16), 0, True)


@attack
def connected_instead_of_everything(listener):
    """CONNECTED right behind HELLO, before any ring exists."""
    with Master(listener) as master:
        master.channel.send(wire.hello())
        with contextlib.suppress(Gone):
            master.channel.send(wire.connected())
        wait_refused(master.channel)


@attack
def thousand_acks(listener):
    """More ACKs than there were messages to acknowledge."""
    with Master(listener) as master:
        master.channel.send(wire.hello())
        with contextlib.suppress(Gone, BlockingIOError):
            master.channel.sock.setblocking(False)
            for _ in range(1000):
                master.channel.send(wire.ack())
        wait_refused(master.channel)


@attack
def thousand_hellos(listener):
    with Master(listener) as master:
        with contextlib.suppress(Gone, BlockingIOError):
            master.channel.sock.setblocking(False)
            for _ in range(1000):
                master.channel.send(wire.hello())
        wait_refused(master.channel)


# --- the data plane ----------------------------------------------------------------------------

def wrong_index(ring, field, values, listener):
    """Indexes out of any order; ours (tail) as well as theirs (head)."""
    with master_at(listener, "up") as master:
        master.traffic()
        queue = master.link.rx[0] if ring == "s2m" else master.link.tx[0]
        for value in values:
            setattr(queue.ring, field, value(queue.ring) if callable(value) else value)
            for each in master.link.rx + master.link.tx:
                each.ring.kick(always=True)
            settle(master.channel, 0.05)
        master.traffic()


for _ring_name in ("s2m", "m2s"):
    for _field in ("head", "tail"):
        _of = lambda delta, field=_field: lambda ring: getattr(ring, field) + delta  # noqa: E731
        for _name, _values in {
                "back-by-1": [_of(-1)], "back-by-50": [_of(-50)],
                "to-head": [lambda ring: ring.head], "beyond-head": [lambda ring: ring.head + 1],
                "on-by-ring-plus-1": [_of(1025)], "on-by-32768": [_of(32768)],
                "to-65535": [65535], "to-0": [0],
                "wild": [0, 65535, 1, 32768, 65534, 1024, 1025, 2048]}.items():
            ATTACKS[f"{_ring_name}-{_field}-{_name}"] = partial(
                wrong_index, _ring_name, _field, _values)


def wrong_descriptors(change, count, listener):
    """Gives lent buffers back with other descriptors than a master may write."""
    with master_at(listener, "up") as master:
        ring = master.link.tx[0].ring
        count = min(count, ring.head)
        fields = []
        for slot in ring.read(0, count):
            fields += change(*slot)
        ring.write(0, fields)
        ring.tail = count
        master.link.tx[0].tail = count
        ring.kick(always=True)
        settle(master.channel)
        master.traffic()


_CHANGES = {
    "region-99": lambda f, r, n, o, m: (0, 99, 64, o, 0),
    "region-65535": lambda f, r, n, o, m: (0, 65535, 64, o, 0),
    "offset-past-end": lambda f, r, n, o, m: (0, r, 64, 0x7F000000, 0),
    "offset-max": lambda f, r, n, o, m: (0, r, 64, 0xFFFFFFFF, 0),
    "sum-overflows": lambda f, r, n, o, m: (0, r, 128, 0xFFFFFFC0, 0),
    "another-buffer": lambda f, r, n, o, m: (0, r, 64, 0, 0),
    "the-ring-itself": lambda f, r, n, o, m: (0, 0, 4096, 0, 0),
    "length-0": lambda f, r, n, o, m: (0, r, 0, o, 0),
    "length-1": lambda f, r, n, o, m: (0, r, 1, o, 0),
    "length-13": lambda f, r, n, o, m: (0, r, 13, o, 0),
    "length-beyond-capacity": lambda f, r, n, o, m: (0, r, n + 1, o, 0),
    "length-65536": lambda f, r, n, o, m: (0, r, 65536, o, 0),
    "length-max": lambda f, r, n, o, m: (0, r, 0xFFFFFFFF, o, 0),
    "all-ones": lambda f, r, n, o, m: (0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
    "unknown-flags": lambda f, r, n, o, m: (0xFFFE, r, 64, o, 0),
    "next": lambda f, r, n, o, m: (NEXT, r, 64, o, 0),
    "next-length-0": lambda f, r, n, o, m: (NEXT, r, 0, o, 0),
    "next-whole-buffers": lambda f, r, n, o, m: (NEXT, r, n, o, 0),
    "metadata": lambda f, r, n, o, m: (0, r, 64, o, 0xFFFFFFFF),
}
for _name, _change in _CHANGES.items():
    for _count in (1, 16, 1024):
        ATTACKS[f"m2s-descriptor-{_name}-x{_count}"] = partial(wrong_descriptors, _change, _count)


@attack
def s2m_descriptors_overwritten(listener):
    """The slave's own descriptors spoilt behind its back, again and again while it sends."""
    with master_at(listener, "up") as master:
        ring = master.link.rx[0].ring
        for _ in range(5):
            ring.write(0, [0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF] * ring.size)
            master.traffic(seconds=0.05)


@attack
def cookies_overwritten(listener):
    with master_at(listener, "up") as master:
        for queue in master.link.rx + master.link.tx:
            struct.pack_into("=I", queue.ring.region.mem, queue.ring.offset, 0)
        master.traffic()


@attack
def ring_flags_garbage(listener):
    with master_at(listener, "up") as master:
        for queue in master.link.rx + master.link.tx:
            queue.ring.flags = 0xFFFF
        master.traffic()


@attack
def everything_overwritten(listener):
    """All regions full of ones; they are the slave's own memory, and it must not trust it."""
    with master_at(listener, "up") as master:
        for region in master.session.regions:
            step = 1 << 20
            for start in range(0, region.size, step):
                size = min(step, region.size - start)
                region.mem[start:start + size] = b"\xff" * size
        for queue in master.link.rx + master.link.tx:
            queue.ring.kick(always=True)
        settle(master.channel)


def events(side, how, listener):
    with master_at(listener, "up") as master:
        queue = (master.link.rx if side == "s2m" else master.link.tx)[0]
        fd = queue.ring.event_fd
        if "saturated" in how:
            saturate(fd)
        if "blocking" in how:
            make_blocking(fd)
        flow = packets.EchoFlow(4, 98, MAC)
        with contextlib.suppress(Gone, Refused, ProtocolError):
            for start in range(0, 400, 20):
                master.link.send(flow.requests(start, 20))
                time.sleep(0.002)
                master.link.recv_now()
        settle(master.channel, 0.1)
        os.set_blocking(fd, False)


for _side in ("s2m", "m2s"):
    for _how in ("saturated", "blocking", "saturated-and-blocking"):
        ATTACKS[f"event-{_how}-{_side}"] = partial(events, _side, _how)


@attack
def event_storm(listener):
    with master_at(listener, "up") as master:
        for _ in range(20000):
            master.link.tx[0].ring.kick(always=True)
        master.traffic()


@attack
def never_reads(listener):
    with master_at(listener, "up") as master:
        flow = packets.EchoFlow(4, 98, MAC)
        with contextlib.suppress(Gone, Refused, ProtocolError):
            for start in range(0, 20000, 500):
                master.link.send(flow.requests(start, 500))
                master.link.tx[0].ring.kick(always=True)
            settle(master.channel, 0.3)


@attack
def shrinks_the_regions(listener):
    """The seal has to hold; where there is none, SIGBUS follows."""
    with master_at(listener, "up") as master:
        unsealed = []
        for number, region in enumerate(master.session.regions):
            try:
                os.ftruncate(region.fd, 0)
                unsealed.append(number)
            except PermissionError:
                pass
        for queue in master.link.tx:
            queue.ring.event_fd >= 0 and os.eventfd_write(queue.ring.event_fd, 1)
        if unsealed:
            settle(master.channel)
            raise NotRefused(f"regions {unsealed} could be shrunk by the other side")
        master.traffic()


@attack
def grows_the_regions(listener):
    with master_at(listener, "up") as master:
        for region in master.session.regions:
            with contextlib.suppress(PermissionError):
                os.ftruncate(region.fd, region.size + (1 << 30))
        master.traffic()


@attack
def seals_against_writing(listener):
    """More seals would lock the slave out of its own memory; existing mappings forbid that."""
    with master_at(listener, "up") as master:
        for region in master.session.regions:
            with contextlib.suppress(OSError):
                fcntl.fcntl(region.fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL)
        master.traffic()


@attack
def punches_holes(listener):
    with master_at(listener, "up") as master:
        for region in master.session.regions:
            punch_hole(region.fd, region.size)
        for queue in master.link.rx + master.link.tx:
            queue.ring.kick(always=True)
        master.traffic()


def scribble(side, indexes, listener):
    with master_at(listener, "up") as master:
        ring = (master.link.rx if side == "s2m" else master.link.tx)[0].ring
        if indexes:
            words = [b"\0\0", b"\xff\xff", b"\0\4", b"\x10\0"]
            where = [(ring.offset + 6, words), (ring.offset + 64, words)]
        else:
            _, region, size, offset, _ = ring.read(0, 1)[0]
            values = [DESC.pack(*d) for d in (
                desc(0, region, 98, offset), desc(0, region, 0xFFFFFFFF, offset),
                desc(0, region, 98, 0x7FFFFFF0), desc(NEXT, region, size, offset),
                desc(0, 999, 98, offset))]
            where = [(ring.first + 16 * slot, values) for slot in range(16)]
        with Scribbler(ring.region.mem, where):
            for _ in range(5):
                master.traffic(count=500, seconds=0.05)


for _side in ("s2m", "m2s"):
    ATTACKS[f"descriptors-rewritten-{_side}"] = partial(scribble, _side, False)
    ATTACKS[f"indexes-rewritten-{_side}"] = partial(scribble, _side, True)


@attack
def message_flood_when_up(listener):
    """Thousands of messages that mean nothing, while traffic flows."""
    with master_at(listener, "up") as master:
        with contextlib.suppress(Gone, BlockingIOError):
            master.channel.sock.setblocking(False)
            for _ in range(5000):
                master.channel.send(raw(wire.ACK))
        wait_refused(master.channel)
