# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Shared memory, descriptor rings and the four ways to work one.

The slave always writes head, the master always writes tail, so sending and receiving differ by
role. Descriptors are read and written in bulk: Python is quick enough then to load a peer.
"""

import contextlib
import fcntl
import mmap
import os
import struct
import threading

from memif_wire import COOKIE, ProtocolError, wait

NEXT = 1
MASK_INT = 1
DESC_SIZE = 16
MAX_SLOT = 1 << 20       # more than any test sends in one slot
DESC = struct.Struct("=HHIII")
_formats = {}
_fence_lock = threading.Lock()


def fence():
    """Orders our stores before our following loads: taking a lock is an atomic operation."""
    with _fence_lock:
        pass


def _descs(count):
    """The struct of `count` descriptors in a row."""
    if count not in _formats:
        _formats[count] = struct.Struct("=" + "HHIII" * count)
    return _formats[count]


def ring_bytes(log2, line=64):
    return 2 * line + (DESC_SIZE << log2)


class Region:
    """A mapped piece of shared memory with the descriptor of its file."""

    def __init__(self, fd, size):
        self.fd, self.size = fd, size
        self.map = mmap.mmap(fd, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        self.mem = memoryview(self.map)
        self._views = [self.mem]

    @classmethod
    def create(cls, size, seal=True):
        fd = os.memfd_create("interop", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(fd, size)
        if seal:
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        return cls(fd, size)

    def words(self, offset, count):
        """16-bit words; an access to one of them is one machine access, hence not torn."""
        part = self.mem[offset:offset + 2 * count]
        view = part.cast("H")
        self._views += [part, view]
        return view

    def close(self):
        for view in reversed(self._views):
            view.release()
        self._views = []
        if self.fd >= 0:
            self.map.close()
            os.close(self.fd)
            self.fd = -1


class Ring:
    """Where a ring's fields are; knows no direction."""

    def __init__(self, region, offset, log2, event_fd, line=64):
        self.region, self.offset, self.log2 = region, offset, log2
        self.size, self.mask = 1 << log2, (1 << log2) - 1
        self.event_fd = event_fd
        self.first = offset + 2 * line
        # Rings of two slots are 160 bytes and lie back to back, hence no line's alignment.
        if offset % DESC_SIZE or self.first + DESC_SIZE * self.size > region.size:
            raise ProtocolError(f"ring at {offset} does not fit its region of {region.size}")
        self._words = region.words(offset, line + 1)
        self._tail_at = line // 2

    def reset(self, with_cookie):
        if with_cookie:
            struct.pack_into("=I", self.region.mem, self.offset, COOKIE)
        self._words[2] = 0
        self.head = 0
        self.tail = 0

    @property
    def cookie(self):
        return struct.unpack_from("=I", self.region.mem, self.offset)[0]

    @property
    def flags(self):
        return self._words[2]

    @flags.setter
    def flags(self, value):
        self._words[2] = value & 0xFFFF

    @property
    def head(self):
        return self._words[3]

    @head.setter
    def head(self, value):
        self._words[3] = value & 0xFFFF

    @property
    def tail(self):
        return self._words[self._tail_at]

    @tail.setter
    def tail(self, value):
        self._words[self._tail_at] = value & 0xFFFF

    def read(self, start, count):
        """`count` descriptors from index `start` on, as a list of tuples."""
        slot = start & self.mask
        first = min(count, self.size - slot)
        at = self.first + DESC_SIZE * slot
        mem = self.region.mem
        found = list(DESC.iter_unpack(mem[at:at + DESC_SIZE * first]))
        if first < count:
            found += DESC.iter_unpack(mem[self.first:self.first + DESC_SIZE * (count - first)])
        return found

    def write(self, start, fields):
        """Descriptors from index `start` on, given as one flat list of fields."""
        count = len(fields) // 5
        slot = start & self.mask
        first = min(count, self.size - slot)
        mem = self.region.mem
        _descs(first).pack_into(mem, self.first + DESC_SIZE * slot, *fields[:5 * first])
        if first < count:
            _descs(count - first).pack_into(mem, self.first, *fields[5 * first:])

    def kick(self, always=False):
        """Wakes the receiver when it wants that."""
        fence()
        if always or not self.flags & MASK_INT:
            # Asked first: the other side may have made the shared eventfd a blocking one.
            if wait([], 0, [self.event_fd]):
                with contextlib.suppress(BlockingIOError):
                    os.eventfd_write(self.event_fd, 1)

    def drain(self):
        if wait([self.event_fd], 0):
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self.event_fd)

    def close(self):
        if self.event_fd >= 0:
            os.close(self.event_fd)
            self.event_fd = -1


class Buffers:
    """One buffer per slot, at fixed places: the simplest layout a slave may choose."""

    def __init__(self, index, region, base, size):
        self.index, self.mem, self.base, self.size = index, region.mem, base, size


def _distance(ahead, behind, ring, what):
    """How far one index is ahead of the other; more than the ring is a broken peer."""
    count = (ahead - behind) & 0xFFFF
    if count > ring.size:
        raise ProtocolError(f"{what}: index {ahead} is {count} ahead of {behind}, ring {ring.size}")
    return count


class Tx:
    """What both senders share."""

    def __init__(self, ring):
        self.ring = ring
        self.packets = 0
        self.full = 0


class SlaveTx(Tx):
    """Slave to master: our memory, our head."""

    def __init__(self, ring, buffers):
        super().__init__(ring)
        self.buffers = buffers
        self.head = 0

    def send(self, packets):
        """Publishes as many whole packets as fit, in order; returns how many."""
        ring, mem, size = self.ring, self.buffers.mem, self.buffers.size
        index, base, mask = self.buffers.index, self.buffers.base, ring.mask
        free = ring.size - _distance(self.head, ring.tail, ring, "tail of a S2M ring")
        head, fields, sent = self.head, [], 0
        for packet in packets:
            length = len(packet)
            if length <= size:
                if not free:
                    break
                offset = base + (head & mask) * size
                mem[offset:offset + length] = packet
                fields += (0, index, length, offset, 0)
                free -= 1
                head += 1
            else:
                parts = -(-length // size)
                if parts > free:
                    break
                for at in range(0, length, size):
                    part = packet[at:at + size]
                    offset = base + (head & mask) * size
                    mem[offset:offset + len(part)] = part
                    fields += (NEXT if at + size < length else 0, index, len(part), offset, 0)
                    head += 1
                free -= parts
            sent += 1
        if sent:
            ring.write(self.head, fields)
            self.head = head & 0xFFFF
            ring.head = self.head
            ring.kick()
        self.packets += sent
        self.full += sent < len(packets)
        return sent


class MasterTx(Tx):
    """Master to slave: fills the empty buffers the slave has published, within their capacity."""

    def __init__(self, ring, regions):
        super().__init__(ring)
        self.regions = regions
        self.tail = 0

    def send(self, packets):
        ring, regions = self.ring, self.regions
        free = _distance(ring.head, self.tail, ring, "head of a M2S ring")
        # As many slots as these packets take if all are as large as the first; more come with the
        # next call, and what is short of a slot is simply not sent yet.
        capacity = max(1, ring.read(self.tail, 1)[0][2])
        slots = ring.read(self.tail, min(free, sum(-(-len(p) // capacity) for p in packets)))
        used, fields, sent = 0, [], 0
        for packet in packets:
            length, at, first, mark = len(packet), 0, used, len(fields)
            while True:
                if used == len(slots):
                    break
                _, region, capacity, offset, _ = slots[used]
                if region >= len(regions) or offset + capacity > regions[region].size \
                        or not capacity:
                    raise ProtocolError(f"M2S slot {slots[used]} lies outside its region")
                part = min(capacity, length - at)
                regions[region].mem[offset:offset + part] = packet[at:at + part]
                at += part
                used += 1
                fields += (NEXT if at < length else 0, region, part, offset, 0)
                if at == length:
                    break
            if at < length:
                used = first
                del fields[mark:]
                break
            sent += 1
        if sent:
            ring.write(self.tail, fields)
            self.tail = (self.tail + used) & 0xFFFF
            ring.tail = self.tail
            ring.kick()
        self.packets += sent
        self.full += sent < len(packets)
        return sent


def _gather(descriptors, regions, what):
    """Joins chains to packets; returns the packets and how many descriptors they took."""
    packets, parts, used = [], None, 0
    for count, (flags, region, length, offset, _) in enumerate(descriptors, 1):
        if region >= len(regions) or offset + length > regions[region].size:
            raise ProtocolError(f"{what} descriptor lies outside its region: "
                                f"region {region} offset {offset} length {length}")
        if length > MAX_SLOT:
            raise ProtocolError(f"{what} descriptor of {length} bytes")
        if flags & ~NEXT:
            raise ProtocolError(f"{what} descriptor with unknown flags {flags:#x}")
        data = bytes(regions[region].mem[offset:offset + length])
        if flags:
            parts = (parts or []) + [data]
            continue
        if parts:
            parts.append(data)
            data = b"".join(parts)
            parts = None
        packets.append(data)
        used = count
    return packets, used


class MasterRx:
    """Slave to master, read side: the slave's memory, our tail."""

    def __init__(self, ring, regions):
        self.ring, self.regions = ring, regions
        self.last = 0

    def recv(self, limit=1024):
        ring = self.ring
        ready = _distance(ring.head, self.last, ring, "head of a S2M ring")
        if not ready:
            return []
        found = ring.read(self.last, min(ready, limit))
        packets, used = _gather(found, self.regions, "S2M")
        if not used:
            raise ProtocolError(f"{ready} descriptors published without the end of a chain")
        self.last = (self.last + used) & 0xFFFF
        ring.tail = self.last
        return packets


class SlaveRx:
    """Master to slave, read side: lends empty buffers, takes them back filled."""

    def __init__(self, ring, buffers, regions):
        self.ring, self.buffers, self.regions = ring, buffers, regions
        self.last = 0
        self.head = 0

    def refill(self):
        """Lends every slot that is not lent yet."""
        ring, buffers = self.ring, self.buffers
        count = ring.size - ((self.head - self.last) & 0xFFFF)
        if not count:
            return
        fields = []
        for slot in range(self.head, self.head + count):
            fields += (0, buffers.index, buffers.size,
                       buffers.base + (slot & ring.mask) * buffers.size, 0)
        ring.write(self.head, fields)
        self.head = (self.head + count) & 0xFFFF
        ring.head = self.head

    def recv(self, limit=1024):
        ring = self.ring
        tail = ring.tail
        ready = _distance(tail, self.last, ring, "tail of a M2S ring")
        if ready > (self.head - self.last) & 0xFFFF:
            raise ProtocolError(f"M2S tail {tail} beyond the head {self.head}")
        if not ready:
            return []
        found = ring.read(self.last, min(ready, limit))
        for index, region, length, offset, slot in (
                (d[0], d[1], d[2], d[3], s & ring.mask)
                for d, s in zip(found, range(self.last, self.last + ready))):
            if region != self.buffers.index or length > self.buffers.size or \
                    offset != self.buffers.base + slot * self.buffers.size:
                raise ProtocolError(f"M2S slot {slot} came back as region {region} offset "
                                    f"{offset} length {length} flags {index}")
        packets, used = _gather(found, self.regions, "M2S")
        if not used:
            raise ProtocolError(f"{ready} descriptors published without the end of a chain")
        self.last = (self.last + used) & 0xFFFF
        self.refill()
        return packets
