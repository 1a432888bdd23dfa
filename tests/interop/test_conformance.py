# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""What the engine puts on the wire and into shared memory, byte by byte."""

import fcntl
import os
import time

import memif_wire as wire
import pipeline
import traffic
from base import InteropTest
from memif_peer import Peer
from memif_ring import MASK_INT


class ConformanceTest(InteropTest):
    """Messages, regions and rings as an honest peer sees them."""

    def no_residue(self, channel):
        for message in channel.received:
            with self.subTest(unused_bytes_of=message.name_of_type):
                self.assertFalse(any(message.unused), "unused bytes are zero")

    def after_nul(self, field):
        self.assertFalse(any(field[field.index(b"\0"):]), "nothing behind a string's end")

    def slave(self, **settings):
        path = self.socket()
        peer = Peer("master", path).listen()
        self.addCleanup(peer.close)
        pipe = pipeline.Pipeline(pipeline.responder(path, "slave", **settings))
        self.addCleanup(pipe.kill)
        peer.connect()
        return peer, pipe

    def test_slave(self):
        peer, pipe = self.slave(ring_size=512, buffer_size=4096)
        self.no_residue(peer.link.channel)
        init = peer.session.init
        with self.subTest("init"):
            self.assertEqual((init.version, init.id, init.mode), (wire.VERSION, 0, 0))
            self.assertEqual(init.secret, bytes(24), "no secret means 24 zeros")
            self.assertTrue(init.name)
            self.after_nul(init.data[33:65])
        with self.subTest("order"):
            kinds = [message.type for message in peer.link.channel.received]
            self.assertEqual(kinds, sorted(kinds), "regions, then rings, then CONNECT")
            rings = [(m.flags, m.index) for m in peer.link.channel.received
                     if m.type == wire.ADD_RING]
            self.assertEqual(rings, [(wire.RING_S2M, 0), (0, 0)], "S2M rings come first")
        with self.subTest("seals"):
            for region in peer.session.regions:
                seals = fcntl.fcntl(region.fd, fcntl.F_GET_SEALS)
                self.assertTrue(seals & fcntl.F_SEAL_SHRINK, "a region cannot shrink")
        with self.subTest("fresh rings"):
            self.assertEqual(peer.session.rings_seen, [(0, 0), (512, 0)],
                             "nothing sent yet, and all buffers there when the master connects")
            for queue in peer.link.rx + peer.link.tx:
                self.assertEqual(queue.ring.size, 512)
                self.assertEqual(queue.ring.offset % 64, 0)
        traffic.one_echo(peer)
        with self.subTest("lent buffers"):
            ring = peer.link.tx[0].ring
            pipeline.wait_for(lambda: ring.head != ring.tail, 5, "buffers lent again")
            for flags, region, length, offset, _ in ring.read(
                    ring.tail, (ring.head - ring.tail) & 0xFFFF):
                self.assertEqual(flags, 0)
                self.assertEqual(length, 4096, "an empty slot's length is its capacity")
                self.assertLessEqual(offset + length, peer.session.regions[region].size)
        with self.subTest("alone with each buffer"):
            slots = [slot[1:4:2] for slot in ring.read(ring.tail, (ring.head - ring.tail) & 0xFFFF)]
            self.assertEqual(len(set(slots)), len(slots), "no buffer is lent twice")
        pipe.stop()

    def test_interrupt_mask(self):
        for mode, mask in (("interrupt", 0), ("polling", MASK_INT)):
            with self.subTest(rx_mode=mode):
                peer, pipe = self.slave(src=dict(rx_mode=mode))
                traffic.one_echo(peer)
                if not pipeline.stand_in():
                    self.assertEqual(peer.link.tx[0].ring.flags & MASK_INT, mask)
                pipe.stop()
                peer.close()

    def test_master(self):
        path = self.socket()
        with pipeline.Pipeline(pipeline.responder(path, "master")), Peer("slave", path) as peer:
            peer.connect()
            traffic.one_echo(peer)
            self.no_residue(peer.link.channel)
            greeting = peer.link.channel.received[0]
            with self.subTest("hello"):
                self.assertLessEqual(greeting.min_version, wire.VERSION)
                self.assertGreaterEqual(greeting.max_version, wire.VERSION)
                self.assertLessEqual(greeting.max_log2, 14)
                self.assertGreaterEqual(greeting.max_region, 1, "libmemif brings two regions")
                self.after_nul(greeting.data[2:34])
            with self.subTest("no descriptors"):
                self.assertFalse([m for m in peer.link.channel.received if m.fds])

    def test_goodbye(self):
        """A pipeline that ends says so; the peer need not guess from EOF."""
        peer, pipe = self.slave()
        traffic.one_echo(peer)
        pipe.stop()
        if pipeline.stand_in():
            return
        message = peer.link.channel.recv(30)
        self.assertEqual(message.type, wire.DISCONNECT)
        self.assertTrue(message.reason, "with a reason")

    def test_refusals_have_reasons(self):
        """A master gives a reason for every refusal."""
        path = self.socket()
        with pipeline.Pipeline(pipeline.responder(path, "master", secret="right")):
            for name, data in (("version", wire.init(version=0x0300)),
                               ("id", wire.init(id=77)), ("mode", wire.init(mode=1)),
                               ("secret", wire.init(secret=b"wrong"))):
                with self.subTest(wrong=name):
                    channel = wire.Channel.dial(path, time.monotonic() + 30)
                    try:
                        channel.recv(30)
                        channel.send(data)
                        message = channel.recv(30)
                        self.assertEqual(message.type, wire.DISCONNECT)
                        self.assertIn(name if not pipeline.stand_in() else "", message.reason)
                    finally:
                        channel.close()

    def test_credentials_of_descriptors(self):
        """What the slave hands out is an eventfd per ring, non-blocking, none of them shared."""
        peer, pipe = self.slave()
        fds = [queue.ring.event_fd for queue in peer.link.rx + peer.link.tx]
        for fd in fds:
            self.assertIn("eventfd", os.readlink(f"/proc/self/fd/{fd}"))
            self.assertFalse(os.get_blocking(fd))
        peer.link.check()
        pipe.stop()
