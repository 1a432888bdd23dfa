# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""A memif peer in Python: both roles, several queues, chains, interrupts.

`Peer` is the well-behaved peer most tests use. The hostile suite takes the same handshake apart:
`slave_steps` yields it message by message, so that a test changes exactly one thing.
"""

import contextlib
import dataclasses
import fcntl
import os
import time

import memif_wire as wire
from memif_ring import (Buffers, MASK_INT, MasterRx, MasterTx, Region, Ring, SlaveRx, SlaveTx,
                        ring_bytes)
from memif_wire import Channel, Gone, ProtocolError, Refused

ROLES = {"slave": "slave", "client": "slave", "master": "master", "server": "master"}


@dataclasses.dataclass
class Config:
    """What one interface is asked to be. Queues are counted from the side of this peer."""

    id: int = 0
    mode: str = "ethernet"
    secret: bytes = b""
    name: str = "interop"
    if_name: str = "interop0"
    tx_queues: int = 1
    rx_queues: int = 1
    log2: int = 10
    buffer_size: int = 2048
    polling: bool = False
    sealed: bool = False    # as master: take only regions that cannot shrink under our feet
    split: bool = True      # buffers in a region of their own (as libmemif), or behind the rings


class Link:
    """A finished connection: queues to send on and to receive from."""

    def __init__(self, channel, regions, tx, rx, remote_name, polling):
        self.channel, self.regions, self.tx, self.rx = channel, regions, tx, rx
        self.remote_name = remote_name
        for queue in rx:
            queue.ring.flags = MASK_INT if polling else 0

    def check(self):
        """Raises when the other side has left; no other message is expected once connected."""
        if wire.wait([self.channel], 0):
            message = self.channel.recv(0)
            if message.type == wire.DISCONNECT:
                raise Refused(message.reason)
            raise ProtocolError(f"{message!r} after the connection was made")

    def recv_now(self, queue=None):
        """Everything that is there, without waiting."""
        queues = self.rx if queue is None else [self.rx[queue]]
        packets = []
        for each in queues:
            packets += each.recv()
        return packets

    def recv(self, timeout, queue=None):
        """At least one packet, or an empty list after the time-out."""
        deadline = time.monotonic() + timeout
        queues = self.rx if queue is None else [self.rx[queue]]
        while True:
            packets = self.recv_now(queue)
            if packets:
                return packets
            try:
                self.check()
            except (Refused, Gone):
                packets = self.recv_now(queue)      # what was published before the goodbye
                if packets:
                    return packets
                raise
            for each in queues:
                each.ring.drain()
            packets = self.recv_now(queue)
            if packets:
                return packets
            left = deadline - time.monotonic()
            if left <= 0:
                return []
            masked = any(each.ring.flags & MASK_INT for each in queues)
            wire.wait([self.channel] + [each.ring.event_fd for each in queues],
                      min(left, 0.001) if masked else left)

    def send(self, packets, queue=0, timeout=0.0):
        """Sends what fits within the time-out; returns how many packets that was."""
        sent = self.tx[queue].send(packets)
        deadline = time.monotonic() + timeout
        while sent < len(packets) and time.monotonic() < deadline:
            self.check()
            time.sleep(0.0002)
            sent += self.tx[queue].send(packets[sent:])
        return sent

    def close(self, reason=None):
        if reason is not None:
            with contextlib.suppress(Gone, OSError):
                self.channel.send(wire.disconnect(reason))
        self.channel.close()
        for queue in self.tx + self.rx:
            queue.ring.close()
        for region in self.regions:
            region.close()


class SlaveMemory:
    """The regions and rings a slave brings into the connection."""

    def __init__(self, config, line=64):
        self.config = config
        s2m, m2s, size = config.tx_queues, config.rx_queues, 1 << config.log2
        stride = ring_bytes(config.log2, line)
        rings = (s2m + m2s) * stride
        data = (s2m + m2s) * size * config.buffer_size
        sizes = [rings, data] if config.split else [rings + data]
        self.regions = [Region.create(n) for n in sizes]
        where = len(sizes) - 1
        base = 0 if config.split else rings
        self.rings, self.buffers = [], []
        for n in range(s2m + m2s):
            event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            ring = Ring(self.regions[0], n * stride, config.log2, event, line)
            ring.reset(with_cookie=True)
            self.rings.append(ring)
            self.buffers.append(Buffers(where, self.regions[where],
                                        base + n * size * config.buffer_size,
                                        config.buffer_size))

    def close(self):
        for ring in self.rings:
            ring.close()
        for region in self.regions:
            region.close()


@dataclasses.dataclass
class Step:
    """One message of a slave's handshake and what the master has to answer."""

    name: str
    data: bytes
    fds: list = dataclasses.field(default_factory=list)
    answer: int = wire.ACK


def slave_steps(config, memory):
    """The whole conversation of a slave after HELLO, in order."""
    steps = [Step("init", wire.init(config.id, wire.MODES[config.mode], config.secret,
                                    config.name))]
    for index, region in enumerate(memory.regions):
        steps.append(Step(f"region{index}", wire.add_region(index, region.size), [region.fd]))
    for number, ring in enumerate(memory.rings):
        to_master = number < config.tx_queues
        index = number if to_master else number - config.tx_queues
        steps.append(Step(f"{'s2m' if to_master else 'm2s'}{index}",
                          wire.add_ring(wire.RING_S2M if to_master else 0, index, 0, ring.offset,
                                        ring.log2), [ring.event_fd]))
    steps.append(Step("connect", wire.connect(config.if_name), [], wire.CONNECTED))
    return steps


def run_steps(channel, steps, deadline):
    """Sends each step and waits for its answer; returns the last answer."""
    answer = None
    for step in steps:
        channel.send(step.data, step.fds)
        answer = channel.expect(step.answer, deadline)
    return answer


def slave_connect(channel, config, deadline):
    """The slave's handshake on a dialled channel."""
    greeting = channel.expect(wire.HELLO, deadline)
    if not greeting.min_version <= wire.VERSION <= greeting.max_version:
        raise ProtocolError(f"version {greeting.min_version:#x} to {greeting.max_version:#x}")
    config = dataclasses.replace(
        config, tx_queues=min(config.tx_queues, greeting.max_s2m + 1),
        rx_queues=min(config.rx_queues, greeting.max_m2s + 1),
        log2=min(config.log2, greeting.max_log2))
    memory = SlaveMemory(config)
    try:
        last = run_steps(channel, slave_steps(config, memory), deadline)
        return slave_link(channel, config, memory, last.name)
    except BaseException:
        memory.close()
        raise


def slave_link(channel, config, memory, remote_name=""):
    """Queues on a slave's memory; buffers are lent only now, as some masters clear the rings."""
    tx = [SlaveTx(memory.rings[n], memory.buffers[n]) for n in range(config.tx_queues)]
    rx = [SlaveRx(memory.rings[n], memory.buffers[n], memory.regions)
          for n in range(config.tx_queues, len(memory.rings))]
    link = Link(channel, memory.regions, tx, rx, remote_name, config.polling)
    for queue in rx:
        queue.refill()
    return link


class MasterSession:
    """The master's half of a handshake; refuses violations with a reason."""

    def __init__(self, channel, config):
        self.channel, self.config = channel, config
        self.regions, self.rings = [], {0: [], wire.RING_S2M: []}
        self.init = None
        self.rings_seen = []    # head and tail of every ring as the slave handed it over

    def _refuse(self, reason):
        with contextlib.suppress(Gone):
            self.channel.send(wire.disconnect(reason))
        raise ProtocolError(reason)

    def run(self, deadline):
        try:
            self.channel.send(wire.hello(self.config.name))
            self._init(self.channel.expect(wire.INIT, deadline))
            while True:
                self.channel.send(wire.ack())
                message = self.channel.recv(deadline - time.monotonic())
                if message.type == wire.CONNECT:
                    return self._connect(message)
                self._add(message)
        except BaseException:
            self.close()
            raise

    def _init(self, message):
        self.init = message
        config = self.config
        if message.fds:
            self._refuse("unexpected descriptor")
        if message.version != wire.VERSION:
            self._refuse("incompatible version")
        if message.id != config.id:
            self._refuse("unmatched interface id")
        if message.mode != wire.MODES[config.mode]:
            self._refuse("mode mismatch")
        if config.secret and message.secret.rstrip(b"\0") != config.secret:
            self._refuse("incorrect secret")

    def _add(self, message):
        if message.type == wire.DISCONNECT:
            raise Refused(message.reason)
        if message.type not in (wire.ADD_REGION, wire.ADD_RING):
            self._refuse(f"unexpected message {message!r}")
        fds, message.fds = message.fds, []
        if len(fds) != 1:
            for fd in fds:
                os.close(fd)
            self._refuse(f"{message.name_of_type} with {len(fds)} descriptors")
        try:
            self._add_region(message, fds[0]) if message.type == wire.ADD_REGION else \
                self._add_ring(message, fds[0])
        except (ProtocolError, OSError, ValueError) as error:
            with contextlib.suppress(OSError):
                os.close(fds[0])
            self._refuse(f"bad {message.name_of_type}: {error}")

    def _add_region(self, message, fd):
        if message.index != len(self.regions) or message.index > 255:
            raise ProtocolError(f"region index {message.index}, expected {len(self.regions)}")
        if os.fstat(fd).st_size < message.size:
            raise ProtocolError(f"region of {message.size} in a smaller file")
        if self.config.sealed and not fcntl.fcntl(fd, fcntl.F_GET_SEALS) & fcntl.F_SEAL_SHRINK:
            raise ProtocolError("region without a seal against shrinking")
        self.regions.append(Region(fd, message.size))

    def _add_ring(self, message, fd):
        rings = self.rings.get(message.flags)
        if rings is None or len(rings) > 255 or message.index != len(rings) or \
                not 0 < message.log2 <= 14 or message.private_hdr_size or \
                message.region >= len(self.regions):
            raise ProtocolError("ring out of limits")
        rings.append(Ring(self.regions[message.region], message.offset, message.log2, fd))

    def _connect(self, message):
        s2m, m2s = self.rings[wire.RING_S2M], self.rings[0]
        for ring in s2m + m2s:
            if ring.cookie != wire.COOKIE:
                self._refuse("wrong cookie")
        self.rings_seen = [(ring.head, ring.tail) for ring in s2m + m2s]
        rx = [MasterRx(ring, self.regions) for ring in s2m]
        tx = [MasterTx(ring, self.regions) for ring in m2s]
        link = Link(self.channel, self.regions, tx, rx, message.name, self.config.polling)
        self.channel.send(wire.connected(self.config.if_name))
        return link

    def close(self):
        for ring in self.rings[0] + self.rings[wire.RING_S2M]:
            ring.close()
        for region in self.regions:
            region.close()


class Peer:
    """One memif interface: connects in its role, sends and receives packets as bytes."""

    def __init__(self, role, path, id=0, **settings):
        self.role, self.path = ROLES[role], path
        self.config = Config(id=id, **settings)
        self.link = None
        self.listener = None
        self.session = None

    def listen(self):
        """Opens the master's socket early, for peers that connect only once."""
        if self.listener is None:
            self.listener = wire.listen(self.path)
        return self

    def connect(self, timeout=30.0, retry=True):
        """Makes the link; with `retry` also after refusals, as long as the time lasts.

        A peer just killed is noticed a moment later, so a refusal as busy is not the end.
        """
        deadline = time.monotonic() + timeout
        if self.role == "master":
            self.listen()
        while True:
            try:
                return self._attempt(deadline)
            except (Refused, Gone, ProtocolError):
                if not retry or time.monotonic() + 0.02 > deadline:
                    raise
                time.sleep(0.02)

    def _attempt(self, deadline):
        if self.role == "slave":
            channel = Channel.dial(self.path, deadline)
        else:
            channel = Channel.accept(self.listener, deadline)
        try:
            if self.role == "slave":
                self.link = slave_connect(channel, self.config, deadline)
            else:
                self.session = MasterSession(channel, self.config)
                self.link = self.session.run(min(deadline, time.monotonic() + 5))
        except BaseException:
            channel.close()
            raise
        return self

    def send(self, packets, queue=0, timeout=0.0):
        return self.link.send(packets, queue, timeout)

    def recv(self, timeout=1.0, queue=None):
        return self.link.recv(timeout, queue)

    @property
    def remote_name(self):
        return self.link.remote_name

    def disconnect(self, reason=None):
        """Ends the link, keeps the listener."""
        if self.link:
            self.link.close(reason)
            self.link = None

    def close(self, reason=None):
        self.disconnect(reason)
        if self.listener:
            self.listener.close()
            self.listener = None
            if not self.path.startswith("@"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
