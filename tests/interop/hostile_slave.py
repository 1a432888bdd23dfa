# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""What a hostile slave may do to a master: one entry of ATTACKS per violation.

Each attack gets the master's socket path, may raise NotRefused when the master should have hung up,
and leaves nothing behind. Whether the master still lives and serves is asked by the test.
"""

import contextlib
import os
import struct
import time
from functools import partial

import memif_wire as wire
import packets
from hostile import (NotRefused, Scribbler, desc, make_blocking, memfd, punch_hole,
                     saturate, settle, wait_refused, wrong_fd, wrong_messages)
from memif_peer import Config, SlaveMemory, run_steps, slave_link, slave_steps
from memif_ring import DESC, NEXT
from memif_wire import Channel, Gone, ProtocolError, Refused

ATTACKS = {}
MAC = b"\xff" * 6       # broadcast: the attacker does not resolve an address first


def attack(function):
    ATTACKS[function.__name__.replace("_", "-")] = function
    return function


class Slave:
    """A slave that follows the protocol until told otherwise."""

    def __init__(self, path, **settings):
        self.config = Config(**settings)
        self.deadline = time.monotonic() + 10
        self.memory = SlaveMemory(self.config)
        try:
            self.channel = Channel.dial(path, self.deadline)
        except BaseException:
            self.memory.close()
            raise
        self.steps = slave_steps(self.config, self.memory)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()
        self.memory.close()

    def greet(self):
        self.channel.expect(wire.HELLO, self.deadline)
        return self

    def until(self, name):
        """Everything before the step of this name, tried again while an old link is cleared."""
        self.greet()
        index = next(n for n, step in enumerate(self.steps) if step.name == name) \
            if name != "up" else len(self.steps)
        run_steps(self.channel, self.steps[:index], self.deadline)
        self.next = self.steps[index] if index < len(self.steps) else None
        return self

    def up(self):
        self.until("up")
        self.link = slave_link(self.channel, self.config, self.memory)
        return self

    def finish(self):
        """The rest of the handshake from the step `until` stopped at, and a little traffic."""
        with contextlib.suppress(Gone, Refused, ProtocolError, TimeoutError):
            run_steps(self.channel, self.steps[self.steps.index(self.next):],
                      time.monotonic() + 2)
            link = slave_link(self.channel, self.config, self.memory)
            self.traffic(link)

    def traffic(self, link=None, count=64, seconds=0.1):
        """Sends requests and reads replies, however malformed."""
        link = link or self.link
        flow = packets.EchoFlow(4, 98, MAC)
        with contextlib.suppress(Gone, Refused, ProtocolError, TimeoutError):
            link.send(flow.requests(0, count))
            link.tx[0].ring.kick(always=True)
            link.recv(seconds)


@contextlib.contextmanager
def slave_at(path, state, **settings):
    """A slave brought to a state; a refusal as busy is retried, the last attack may linger."""
    deadline = time.monotonic() + 8
    while True:
        slave = Slave(path, **settings)
        try:
            slave.up() if state == "up" else slave.until(state)
            break
        except (Refused, Gone):
            slave.__exit__()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        except BaseException:
            slave.__exit__()
            raise
    with slave:
        yield slave


# --- messages: every wrong one in every state ------------------------------------------------

STATES = ("init", "region0", "s2m0", "connect", "up")
LEGAL = {("init", "init"), ("region0", "add-region"), ("s2m0", "add-region"),
         ("s2m0", "add-ring"), ("connect", "add-region"),
         # Without rings a master may refuse CONNECT or not: see connect-without-rings.
         ("region0", "connect"), ("s2m0", "connect"),
         ("connect", "add-ring"), ("connect", "connect")}


ATTACKS.update(wrong_messages(STATES, LEGAL, slave_at))


def leave(state, how, path):
    with slave_at(path, state) as slave:
        if how == "disconnect":
            slave.channel.send(wire.disconnect("hostile", 7))
        elif how == "half-close":
            slave.channel.sock.shutdown(1)
        elif how == "unread":
            slave.channel.send(slave.next.data if slave.next else wire.ack())
        elif how == "empty-message":
            slave.channel.send(b"")


for _state in STATES:
    for _how in ("eof", "disconnect", "half-close", "unread", "empty-message"):
        ATTACKS[f"leave-by-{_how}-at-{_state}"] = partial(leave, _state, _how)


def disconnect_text(data, path):
    with slave_at(path, "connect") as slave:
        slave.channel.send(data)
        wait_refused(slave.channel)


ATTACKS["disconnect-unterminated"] = partial(disconnect_text, wire.disconnect(b"x" * 96))
ATTACKS["disconnect-not-utf8"] = partial(disconnect_text, wire.disconnect(b"\xff\xfe%s%n" * 16))


# --- one step of the handshake changed ---------------------------------------------------------

def changed(state, data, path, fds=None, refused=True, **settings):
    """The step at `state` with other bytes or descriptors; then wait for the refusal or go on."""
    with slave_at(path, state, **settings) as slave:
        slave.next.data = data if data is not None else slave.next.data
        if fds is not None:
            slave.next.fds = fds(slave) if callable(fds) else fds
        if refused:
            with contextlib.suppress(Gone):
                slave.channel.send(slave.next.data, slave.next.fds)
            wait_refused(slave.channel)
        else:
            slave.finish()


def change(name, state, data=None, **more):
    ATTACKS[name] = partial(changed, state, data, **more)


for _version in (0, 1, 0x0100, 0x01FF, 0x0201, 0x0300, 0xFFFF):
    change(f"init-version-{_version:#06x}", "init", wire.init(version=_version))
for _id in (1, 0x80000000, 0xFFFFFFFF):
    change(f"init-id-{_id}", "init", wire.init(id=_id))
for _mode in (1, 2, 3, 255):
    change(f"init-mode-{_mode}", "init", wire.init(mode=_mode))
change("init-name-unterminated", "init", wire.init(name=b"n" * 32), refused=False)
change("init-name-not-utf8", "init", wire.init(name=b"\xc3\x28\xff%n%s"), refused=False)
change("init-secret-unasked", "init", wire.init(secret=b"s" * 24), refused=False)
change("init-with-descriptor", "init", fds=lambda s: [s.memory.rings[0].event_fd], refused=False)
change("init-with-253-descriptors", "init",
       fds=lambda s: [s.memory.rings[0].event_fd] * 253, refused=False)

_events = lambda count: lambda slave: [slave.memory.rings[0].event_fd] * count  # noqa: E731
for _state in ("region0", "s2m0"):
    change(f"no-descriptor-at-{_state}", _state, fds=[])
    for _count in (2, 5, 100, 253):
        change(f"{_count}-descriptors-at-{_state}", _state, fds=_events(_count))
change("connect-with-descriptor", "connect", fds=_events(1), refused=False)
change("connect-with-100-descriptors", "connect", fds=_events(100), refused=False)
change("connect-name-unterminated", "connect", wire.connect(b"i" * 32), refused=False)
change("connect-name-not-utf8", "connect", wire.connect(b"\xff\xc0%n%s"), refused=False)

_RINGS = 2 * (128 + 16 * 1024)      # region 0 of the usual slave, in bytes
for _size in (0, _RINGS + 1, _RINGS + 4096, 1 << 32, 1 << 40, 1 << 63, (1 << 64) - 1,
              (1 << 64) - 4096):
    change(f"region-size-{_size:#x}", "region0", wire.add_region(0, _size))
for _index in (1, 255, 256, 65535):
    change(f"region-index-{_index}", "region0", wire.add_region(_index, _RINGS))
change("region-index-duplicate", "s2m0", wire.add_region(0, _RINGS),
       fds=lambda s: [s.memory.regions[0].fd])

_ring = partial(wire.add_ring, wire.RING_S2M, 0, 0, 0)
for _log2 in (15, 16, 31, 32, 64, 255):
    change(f"ring-log2-{_log2}", "s2m0", _ring(_log2))
change("ring-log2-0", "s2m0", _ring(0), refused=False)
change("ring-log2-14-in-small-region", "s2m0", _ring(14))
for _offset in (_RINGS, _RINGS - 64, _RINGS - 128, 0x40000000, 0x7FFFFFC0, 0xFFFFFFC0, 0xFFFFFFFF,
                128 + 16 * 1024 + 64):
    change(f"ring-offset-{_offset:#x}", "s2m0",
           wire.add_ring(wire.RING_S2M, 0, 0, _offset, 10))
for _offset in (1, 2, 3, 7):
    change(f"ring-unaligned-{_offset}", "s2m0",
           wire.add_ring(wire.RING_S2M, 0, 0, _offset, 10))
for _region in (2, 7, 99, 65535):
    change(f"ring-region-{_region}", "s2m0",
           wire.add_ring(wire.RING_S2M, 0, _region, 0, 10))
for _index in (1, 2, 255, 256, 65535):
    change(f"ring-index-gap-{_index}", "s2m0",
           wire.add_ring(wire.RING_S2M, _index, 0, 0, 10))
for _size in (1, 64, 65535):
    change(f"ring-private-header-{_size}", "s2m0",
           wire.add_ring(wire.RING_S2M, 0, 0, 0, 10, _size))
for _flags in (2, 3, 0xFFFF):
    change(f"ring-flags-{_flags:#x}", "s2m0", wire.add_ring(_flags, 0, 0, 0, 10), refused=False)
change("ring-index-duplicate", "m2s0", wire.add_ring(wire.RING_S2M, 0, 0, 0, 10))
change("rings-on-top-of-each-other", "m2s0", wire.add_ring(0, 0, 0, 0, 10), refused=False)
change("connect-without-rings", "s2m0", wire.connect(), fds=[], refused=False)
change("connect-without-regions", "region0", wire.connect(), fds=[], refused=False)


def wrong_region(kind, refused, path):
    with wrong_fd(kind, 1 << 16) as fd:
        changed("region0", None, path, fds=[fd], refused=refused)


for _kind in ("pipe", "null", "zero", "socket", "directory", "path", "epoll", "eventfd",
              "readonly-memfd", "empty-memfd", "write-sealed-memfd"):
    ATTACKS[f"region-is-{_kind}"] = partial(wrong_region, _kind, True)
for _kind in ("file", "unsealed-memfd"):    # a matter of policy; without rings in it anyhow
    ATTACKS[f"region-is-{_kind}"] = partial(wrong_region, _kind, False)


def wrong_event(state, kind, path):
    with wrong_fd(kind) as fd:
        changed(state, None, path, fds=[fd], refused=False)


for _state in ("s2m0", "m2s0"):
    for _kind in ("pipe", "full-pipe", "file", "null", "zero", "socket", "directory", "path",
                  "epoll", "memfd", "blocking-eventfd", "semaphore-eventfd"):
        ATTACKS[f"event-of-{_state}-is-{_kind}"] = partial(wrong_event, _state, _kind)


def many(kind, path):
    """Far more regions, or rings, than anybody may have."""
    with slave_at(path, "region0" if kind == "regions" else "s2m0") as slave, \
            contextlib.suppress(Gone, Refused):
        region, ring = slave.memory.regions[0], slave.memory.rings[0]
        for index in range(400):
            if kind == "regions":
                slave.channel.send(wire.add_region(index, region.size), [region.fd])
            else:
                slave.channel.send(wire.add_ring(wire.RING_S2M, index, 0, 0, 10),
                                   [ring.event_fd])
            slave.channel.expect(wire.ACK, slave.deadline)
        raise NotRefused(f"400 {kind} were accepted")


ATTACKS["too-many-regions"] = partial(many, "regions")
ATTACKS["too-many-rings"] = partial(many, "rings")


@attack
def huge_regions(path):
    """Sparse files of a terabyte each: the master need not map them all."""
    with slave_at(path, "region0") as slave, contextlib.suppress(Gone, Refused):
        fd = memfd(1 << 40)
        try:
            for index in range(200):
                slave.channel.send(wire.add_region(index, 1 << 40), [fd])
                slave.channel.expect(wire.ACK, slave.deadline)
        finally:
            os.close(fd)


def wrong_cookie(ring, value, path):
    with slave_at(path, "connect") as slave:
        struct.pack_into("=I", slave.memory.regions[0].mem, slave.memory.rings[ring].offset, value)
        slave.channel.send(slave.next.data)
        wait_refused(slave.channel)


for _value in (0, 0x03E31F21, 0x201FE303):
    ATTACKS[f"cookie-{_value:#x}-in-s2m"] = partial(wrong_cookie, 0, _value)
ATTACKS["cookie-0-in-m2s"] = partial(wrong_cookie, 1, 0)


def early_index(ring, field, value, path):
    with slave_at(path, "connect") as slave:
        setattr(slave.memory.rings[ring], field, value)
        slave.finish()


for _field, _value in (("head", 5), ("head", 65535), ("tail", 5), ("tail", 65535)):
    ATTACKS[f"s2m-{_field}-{_value}-before-connect"] = partial(early_index, 0, _field, _value)
    ATTACKS[f"m2s-{_field}-{_value}-before-connect"] = partial(early_index, 1, _field, _value)


# --- the data plane ----------------------------------------------------------------------------

def wrong_descriptors(fields, path, count=1, publish=None):
    """Publishes these descriptors on the S2M ring, kicks, and goes on with honest traffic."""
    with slave_at(path, "up") as slave:
        ring = slave.link.tx[0].ring
        ring.write(0, list(fields) * count)
        ring.head = count if publish is None else publish
        slave.link.tx[0].head = ring.head
        ring.kick(always=True)
        settle(slave.channel)
        slave.traffic()


for _name, _fields in {
        "region-2": desc(region=2), "region-99": desc(region=99),
        "region-65535": desc(region=65535), "offset-past-end": desc(region=1, offset=0x7F000000),
        "offset-at-end": desc(region=1, offset=4 << 20),
        "straddles-end": desc(region=1, offset=(4 << 20) - 32),
        "sum-overflows": desc(region=1, offset=0xFFFFFFC0, length=128),
        "all-ones": (0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
        "length-0": desc(region=1, length=0), "length-1": desc(region=1, length=1),
        "length-13": desc(region=1, length=13), "length-max": desc(region=1, length=0xFFFFFFFF),
        "length-65536": desc(region=1, length=65536), "length-4M": desc(region=1, length=4 << 20),
        "the-ring-itself": desc(region=0, length=4096, offset=0),
        "flags-unknown": desc(region=1, flags=0xFFFE),
        "metadata": desc(region=1, metadata=0xFFFFFFFF)}.items():
    ATTACKS[f"s2m-descriptor-{_name}"] = partial(wrong_descriptors, _fields)
    ATTACKS[f"s2m-descriptors-{_name}-full-ring"] = partial(wrong_descriptors, _fields, count=1024)
for _name, _fields in {
        "next": desc(NEXT, 1), "next-length-0": desc(NEXT, 1, 0),
        "next-4M-each": desc(NEXT, 1, 4 << 20)}.items():
    for _count in (1, 3, 1023, 1024):
        ATTACKS[f"s2m-chain-{_name}-{_count}-unfinished"] = partial(
            wrong_descriptors, _fields, count=_count)


@attack
def s2m_chain_with_bad_middle(path):
    with slave_at(path, "up") as slave:
        ring = slave.link.tx[0].ring
        ring.write(0, [*desc(NEXT, 1), *desc(NEXT, 77), *desc(0, 1)])
        ring.head = 3
        ring.kick(always=True)
        settle(slave.channel)


@attack
def s2m_chain_of_a_whole_ring(path):
    """Legal in form, 4 GiB in sum: the last slot ends a chain of 1024 times 4 MiB."""
    with slave_at(path, "up") as slave:
        ring = slave.link.tx[0].ring
        ring.write(0, list(desc(NEXT, 1, 4 << 20)) * 1023 + list(desc(0, 1, 4 << 20)))
        ring.head = 1024
        ring.kick(always=True)
        settle(slave.channel, 1)


def wrong_index(ring, field, values, path):
    """Indexes out of any order, with honest traffic before and after."""
    with slave_at(path, "up") as slave:
        slave.traffic(count=100)
        queue = slave.link.tx[0] if ring == "s2m" else slave.link.rx[0]
        for value in values:
            setattr(queue.ring, field, value(queue.ring) if callable(value) else value)
            queue.ring.kick(always=True)
            slave.link.tx[0].ring.kick(always=True)
            settle(slave.channel, 0.05)
        slave.traffic()


for _ring_name in ("s2m", "m2s"):
    for _field in ("head", "tail"):
        _of = lambda delta, field=_field: lambda ring: getattr(ring, field) + delta  # noqa: E731
        for _name, _values in {
                "back-by-1": [_of(-1)], "back-by-50": [_of(-50)], "back-by-ring": [_of(-1024)],
                "on-by-ring-plus-1": [_of(1025)], "on-by-32768": [_of(32768)],
                "to-65535": [65535], "to-0": [0],
                "wild": [0, 65535, 1, 32768, 65534, 1024, 1025, 2048]}.items():
            ATTACKS[f"{_ring_name}-{_field}-{_name}"] = partial(
                wrong_index, _ring_name, _field, _values)


def wrong_capacity(fields, path, count=1024):
    """Lends these buffers to the master and makes it answer into them."""
    with slave_at(path, "up") as slave:
        ring = slave.link.rx[0].ring
        ring.write(0, list(fields) * count)
        ring.head = count
        slave.traffic()
        slave.traffic()


for _name, _fields in {
        "0": desc(region=1, length=0), "1": desc(region=1, length=1),
        "13": desc(region=1, length=13), "max": desc(region=1, length=0xFFFFFFFF),
        "region-99": desc(region=99, length=2048), "region-65535": desc(region=65535, length=2048),
        "offset-past-end": desc(region=1, length=2048, offset=0x7F000000),
        "straddles-end": desc(region=1, length=2048, offset=(4 << 20) - 32),
        "sum-overflows": desc(region=1, length=2048, offset=0xFFFFFFC0),
        "next": desc(NEXT, 1, 2048), "the-ring-itself": desc(0, 0, 2048, 0),
        "its-own-descriptors": desc(0, 0, 2048, 128 + 16 * 1024 + 128),
        "all-ones": (0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF)}.items():
    ATTACKS[f"m2s-capacity-{_name}"] = partial(wrong_capacity, _fields)


@attack
def m2s_capacity_0_for_a_jumbo(path):
    """Chains over slots of no capacity never end."""
    with slave_at(path, "up") as slave:
        ring = slave.link.rx[0].ring
        ring.write(0, list(desc(0, 1, 0)) * 1024)
        with contextlib.suppress(Gone, Refused, ProtocolError):
            slave.link.send(packets.EchoFlow(4, 9000, MAC).requests(0, 16))
            slave.link.recv(0.3)


@attack
def never_reads(path):
    """Fills both rings with requests and takes no reply."""
    with slave_at(path, "up") as slave:
        flow = packets.EchoFlow(4, 98, MAC)
        with contextlib.suppress(Gone, Refused, ProtocolError):
            for start in range(0, 20000, 500):
                slave.link.send(flow.requests(start, 500))
                slave.link.tx[0].ring.kick(always=True)
            settle(slave.channel, 0.3)


@attack
def never_lends_a_buffer(path):
    with slave_at(path, "up") as slave:
        slave.link.rx[0].ring.head = 0
        slave.traffic(count=1000)


def long_packets(count, length, path):
    """Descriptors that all name the same bytes of a sparse region; until they were looked at."""
    with slave_at(path, "up", log2=3, buffer_size=64 << 20) as slave:
        ring = slave.link.tx[0].ring
        ring.write(0, list(desc(0, 1, length)) * count)
        ring.head = count
        ring.kick(always=True)
        while ring.tail != count:
            if time.monotonic() > slave.deadline:
                raise NotRefused(f"{ring.tail} of {count} packets were taken")
            time.sleep(0.002)


for _count, _length in ((2, 600 << 20), (8, 30 << 20)):
    ATTACKS[f"{_count}-packets-of-{_length >> 20}-MiB"] = partial(long_packets, _count, _length)


@attack
def cookie_overwritten_later(path):
    with slave_at(path, "up") as slave:
        for ring in slave.memory.rings:
            struct.pack_into("=I", slave.memory.regions[0].mem, ring.offset, 0xDEADBEEF)
        slave.traffic()


@attack
def ring_flags_garbage(path):
    with slave_at(path, "up") as slave:
        for ring in slave.memory.rings:
            ring.flags = 0xFFFF
        slave.traffic()


@attack
def everything_overwritten(path):
    """Region 0 full of ones, indexes, cookies and descriptors alike."""
    with slave_at(path, "up") as slave:
        size = slave.memory.regions[0].size
        slave.memory.regions[0].mem[:] = b"\xff" * size
        for ring in slave.memory.rings:
            ring.kick(always=True)
        settle(slave.channel)


def events(number, how, path):
    """The eventfd of one ring spoilt, and traffic over it."""
    with slave_at(path, "up") as slave:
        fd = slave.memory.rings[number].event_fd
        if how == "saturated":
            saturate(fd)
        elif how == "blocking":
            make_blocking(fd)
        elif how == "saturated-and-blocking":
            saturate(fd)
            make_blocking(fd)
        flow = packets.EchoFlow(4, 98, MAC)
        with contextlib.suppress(Gone, Refused, ProtocolError):
            for start in range(0, 400, 20):
                slave.link.send(flow.requests(start, 20))
                if number:      # the event of the ring we receive from: only look, never drain
                    time.sleep(0.002)
                slave.link.recv_now()
        settle(slave.channel, 0.1)
        os.set_blocking(fd, False)


for _number, _ring_name in enumerate(("s2m", "m2s")):
    for _how in ("saturated", "blocking", "saturated-and-blocking"):
        ATTACKS[f"event-{_how}-{_ring_name}"] = partial(events, _number, _how)


@attack
def event_storm(path):
    """A kick without packets, as often as possible."""
    with slave_at(path, "up") as slave:
        for _ in range(20000):
            slave.link.tx[0].ring.kick(always=True)
        slave.traffic()


def shrink(which, when, path):
    """An unsealed file truncated while the master uses it: SIGBUS on access."""
    with slave_at(path, "region0") as slave:
        region = slave.memory.regions[which]
        fd = memfd(region.size, 0)
        os.pwrite(fd, bytes(region.mem), 0)
        try:
            slave.steps[1 + which].fds = [fd]
            with contextlib.suppress(Gone, Refused, ProtocolError, TimeoutError):
                run_steps(slave.channel, slave.steps[1:-1], slave.deadline)
                if when == "before":
                    os.ftruncate(fd, 0)
                slave.channel.send(slave.steps[-1].data)
                slave.channel.expect(wire.CONNECTED, slave.deadline)
                if which == 0:      # heads are in the file, not in our own copy
                    os.pwrite(fd, struct.pack("=H", 16), 6)
                    os.pwrite(fd, DESC.pack(*desc(0, 1, 98)) * 16, 128)
                os.ftruncate(fd, 0)
                for ring in slave.memory.rings:
                    ring.kick(always=True)
                slave.traffic(slave_link(slave.channel, slave.config, slave.memory))
                settle(slave.channel)
        finally:
            os.close(fd)


for _which, _where in ((0, "rings"), (1, "buffers")):
    for _when in ("before", "after"):
        ATTACKS[f"shrunk-{_where}-{_when}-connect"] = partial(shrink, _which, _when)


@attack
def hole_punched_into_everything(path):
    with slave_at(path, "up") as slave:
        slave.traffic()
        for region in slave.memory.regions:
            punch_hole(region.fd, region.size)
        slave.traffic()


def scribble(ring, places, path):
    """Descriptors and indexes change between the master's looks at them."""
    with slave_at(path, "up") as slave:
        target = slave.memory.rings[ring]
        where = [(target.first + 16 * slot, values) for slot in range(16) for values in places] \
            if places else [(target.offset + 6, [b"\0\0", b"\xff\xff", b"\0\4"]),
                            (target.offset + 64, [b"\0\0", b"\xff\xff", b"\0\4"])]
        with Scribbler(slave.memory.regions[0].mem, where):
            for _ in range(5):
                slave.traffic(count=500, seconds=0.05)


_good, _bad = DESC.pack(*desc(0, 1, 98, 0)), DESC.pack(*desc(0, 1, 98, 0x7FFFFFF0))
_long, _far = DESC.pack(*desc(0, 1, 0xFFFFFFFF, 0)), DESC.pack(*desc(1, 999, 98, 0))
for _number, _ring_name in enumerate(("s2m", "m2s")):
    ATTACKS[f"descriptors-rewritten-{_ring_name}"] = partial(
        scribble, _number, [[_good, _bad, _good, _long, _good, _far]])
    ATTACKS[f"indexes-rewritten-{_ring_name}"] = partial(scribble, _number, None)


# --- connections -------------------------------------------------------------------------------

@attack
def connect_storm(path):
    """Many dial and leave, at once and unheard."""
    for _ in range(300):
        Channel.dial(path, time.monotonic() + 5).close()


@attack
def second_client_for_the_same_id(path):
    with slave_at(path, "up") as first:
        with Slave(path) as second:
            try:
                second.up()
            except (Refused, Gone):
                pass
            else:
                raise NotRefused("two slaves on one id")
        first.traffic()
        first.link.check()


@attack
def descriptors_by_the_hundred(path):
    """Each message with as many descriptors as the kernel lets through; none may stay."""
    for _ in range(20):
        with Slave(path) as slave, contextlib.suppress(Gone):
            slave.greet()
            slave.channel.send(wire.ack(), [slave.memory.rings[0].event_fd] * 253)
            settle(slave.channel, 1)
