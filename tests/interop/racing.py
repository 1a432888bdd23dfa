# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""A peer that rewrites packets and descriptors while the other side looks at them.

It publishes some packets and changes bytes of their headers, or of their descriptors, as fast as it
can until they were consumed, and begins again. Whatever comes back is thrown away: nothing that is
done with such a packet is wrong, as long as the other side lives.
"""

import os
import random
import signal
import struct
import time

import packets
import pipeline
from memif_ring import DESC, DESC_SIZE
from memif_wire import Gone, ProtocolError, Refused

OUR_MAC = bytes.fromhex("0200c0a80101")     # what the responder makes of its first address
BURSTS = (2, 4, 4, 8)   # packets under way at once: each is changed every few microseconds
PATIENCE = 0.02         # seconds until packets that are not taken are left alone


def _crc32c(state, data):
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    return state


def probe(number):
    """A UDP packet as packetgen makes them, with the sums that packetcheck looks at."""
    tail = bytes(range(64))
    fields = struct.pack("!HHHIQ", 0xB7E5, 0, number >> 32, number & 0xFFFFFFFF, 1)
    body = fields + struct.pack("!I", _crc32c(_crc32c(0xFFFFFFFF, tail), fields)) + tail
    ends = packets.ip4(packets.PEER_IP4) + packets.ip4(packets.TARGET_IP4)
    udp = struct.pack("!HHHH", 1024, 9, 8 + len(body), 0) + body
    total = packets.checksum(ends + struct.pack("!HH", 17, len(udp)) + udp)
    udp = udp[:6] + struct.pack("!H", total) + udp[8:]
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0x4000, 64, 17, 0) + ends
    header = header[:10] + struct.pack("!H", packets.checksum(header)) + header[12:]
    return OUR_MAC + packets.PEER_MAC + packets.ETH_IP4 + header + udp


def _with_extension(packet):
    """The same packet with destination options behind the IPv6 header, which no sum covers."""
    length = struct.unpack_from("!H", packet, 18)[0] + 8
    return (packet[:18] + struct.pack("!HB", length, 60) + packet[21:54] +
            b"\x3a\x00\x01\x04\x00\x00\x00\x00" + packet[54:])


def _long_solicitation():
    """One with an unknown option that takes long to sum, which leaves more time to change it."""
    packet = packets.neighbour_solicitation()
    eights = 230
    body = packet[54:56] + bytes(2) + packet[58:] + bytes([200, eights]) + bytes(8 * eights - 2)
    total = packets.checksum(packets.pseudo6(packet[22:38], packet[38:54], len(body)) + body)
    return (packet[:18] + struct.pack("!H", len(body)) + packet[20:54] + body[:2] +
            struct.pack("!H", total) + body[4:])


# What is published, and what is changed in it: (offset, values that take turns with the right one).
ECHO4 = packets.EchoFlow(4, 98, OUR_MAC).requests(0, 1)[0]
ECHO6 = packets.EchoFlow(6, 98, OUR_MAC).requests(0, 1)[0]
TYPE = (12, (0x81, 0x88, 0x86, 0x08))
VERSION = (14, (0x10, 0x60, 0x4F, 0x45))
FRAMES = [
    (packets.neighbour_solicitation(), [VERSION, (18, (0xFF,)), (19, (0, 0xFF)), (20, (0, 43)),
                                        (54, (128,)), (79, (0, 255))]),
    (ECHO4, [VERSION, TYPE, (6, (0xFF,)), (16, (0xFF,)), (17, (0, 20, 0xFF)), (23, (17,)),
             (26, (0xE0, 127))]),
    (ECHO6, [VERSION, TYPE, (18, (0xFF,)), (19, (0, 0xFF)), (20, (0, 43, 44, 60)), (54, (135,))]),
    (_with_extension(ECHO6), [VERSION, (19, (0, 0xFF)), (20, (0, 43, 44)), (54, (60, 43)),
                              (55, (1, 255)), (57, (3, 255))]),
    (packets.arp_request(), [TYPE, (15, (6,)), (21, (2,)), (22, (0xFF,))]),
    (probe(1), [VERSION, TYPE, (16, (0xFF,)), (17, (0, 60, 0xFF)), (23, (1,)), (38, (0xFF,)),
                (39, (0, 0xFF)), (42, (0,)), (45, (7,))]),
]
# What is answered by a packet of another kind: here the version is looked at most.
SOLICITATION = _long_solicitation()
# The same for the 16 bytes of a descriptor: flags, region, length, offset.
DESCRIPTOR = [(0, (1, 4)), (2, (9,)), (4, (0, 200)), (6, (0xFF,)), (8, (0xFF,)), (11, (0xFF,))]


class Flipper:
    """A process that goes on changing bytes of shared memory; what it changes is not its own."""

    def __init__(self, places, values):
        """`places`: [(memory, offset), ...]; all get one value after the other."""
        self.places, self.values, self.pid = places, values, 0

    def _run(self):
        places = self.places
        while True:
            for value in self.values:
                for mem, offset in places:
                    mem[offset] = value

    def __enter__(self):
        self.pid = os.fork()
        if not self.pid:
            try:
                pipeline.die_with_parent()
                self._run()
            finally:
                os._exit(1)
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


class Racer:
    """What races on one link of `peer`, which is connected or will be."""

    def __init__(self, peer, seed=1):
        self.peer = peer
        self.buffers = set()    # (region, offset) of those that packets were put into
        self.random = random.Random(seed)
        self.rounds = self.refused = 0

    def flood(self, seconds, frame, offset, values):
        """Many packets while another process changes one byte of all: without synchronisation."""
        self.peer.disconnect()
        self.peer.connect()
        link = self.peer.link
        deadline = time.monotonic() + seconds / 4
        self.buffers.clear()
        sent = 0
        while time.monotonic() < deadline:
            sent += self._burst(link, frame)
        buffers = self.buffers | self._replies(link)
        places = [(link.regions[region].mem, at + offset) for region, at in buffers]
        with Flipper(places, values):
            deadline += seconds
            while time.monotonic() < deadline:
                link.check()
                sent += self._burst(link, frame)
        return sent

    @staticmethod
    def _replies(link):
        """Our buffers that a master writes packets into before it has looked at them."""
        return {(region, at) for queue in link.rx if hasattr(queue, "refill")
                for _, region, _, at, _ in queue.ring.read(0, queue.ring.size)}

    def _burst(self, link, frame):
        tx = link.tx[0]
        self.buffers.update((region, at) for _, region, at in self._slots(tx, tx.ring.size))
        sent = tx.send([frame] * tx.ring.size)
        self._let_go(link)
        return sent

    def run(self, seconds, descriptors=False):
        """Races for so long; a link that is taken down, as it may be, is made again."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if self.peer.link is None:
                    self.peer.connect()
                self._round(descriptors)
            except (Gone, Refused, ProtocolError):
                self.refused += 1
                self.peer.disconnect()

    def _round(self, descriptors):
        link = self.peer.link
        link.check()
        tx, ring = link.tx[0], link.tx[0].ring
        frame, places = self.random.choice(FRAMES)
        burst = self.random.choice(BURSTS)
        slots = self._slots(tx, burst)
        if descriptors:
            where = [(ring.region.mem, at, DESC.pack(0, region, len(frame), offset, 0))
                     for at, region, offset in slots]
            places = DESCRIPTOR
        else:
            where = [(link.regions[region].mem, offset, frame) for _, region, offset in slots]
        # All is prepared before: the receiver may look at once.
        changes = self._changes(places, where)
        if tx.send([frame] * len(slots)):
            self._change(link, changes)
            self.rounds += 1
        else:
            self._let_go(link)

    @staticmethod
    def _slots(tx, burst):
        """Of the next packets: where the descriptor lies in its region, and the buffer's place."""
        ring = tx.ring
        start = tx.head if hasattr(tx, "head") else tx.tail
        found = ring.read(start, burst)
        slots = []
        for n, (_, region, length, offset, _) in enumerate(found):
            slot = (start + n) & ring.mask
            if hasattr(tx, "head"):
                region, offset = tx.buffers.index, tx.buffers.base + slot * tx.buffers.size
            elif not length:
                continue        # not filled yet
            slots.append((ring.first + DESC_SIZE * slot, region, offset))
        return slots

    def _change(self, link, changes):
        """Until the receiver is done with the packets. What it has taken it looks at only then."""
        end, more = time.monotonic() + PATIENCE, 12
        self._let_go(link)
        while more and time.monotonic() < end:
            for mem, offset, value in changes:
                mem[offset] = value
            more -= not self._pending(link.tx[0])
        self._let_go(link)

    def _changes(self, places, where):
        """Turns of one or two places of each packet, the right value now and then among them."""
        chosen = self.random.sample(places, self.random.choice((1, 2)))
        if places[0] == VERSION and self.random.random() < 0.6:
            chosen[0] = VERSION
        return [(mem, base + offset, value)
                for mem, base, right in where for offset, values in chosen
                for other in values for value in (other, right[offset])]

    @staticmethod
    def _pending(tx):
        """Whether the receiver has not taken all of it yet."""
        ring = tx.ring
        if hasattr(tx, "head"):
            return ring.tail != tx.head
        return (ring.head - tx.tail) & 0xFFFF < ring.size

    @staticmethod
    def _let_go(link):
        """Takes what has come back without a look."""
        for queue in link.rx:
            if hasattr(queue, "refill"):
                queue.last = queue.ring.tail
                queue.refill()
            else:
                queue.last = queue.ring.tail = queue.ring.head
