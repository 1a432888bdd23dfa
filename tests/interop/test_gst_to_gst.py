# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""gst-memif against itself, and the settings of an interface, loaded by the Python peer."""

import contextlib
import os

import packets
import pipeline
import traffic
from base import InteropTest, opposite
from memif_peer import Peer
from memif_wire import Gone, ProtocolError, Refused
from pipeline import Pipeline, properties, responder

COUNT = 1000 if pipeline.stand_in() else 20000
RX_MODES = ("interrupt", "polling", "adaptive")


def forwarder(a, a_role, b, b_role, rx_mode=None):
    """Both directions between two interfaces."""
    lines = []
    for one, one_role, other, other_role in ((a, a_role, b, b_role), (b, b_role, a, a_role)):
        lines.append(
            f"memifsrc {properties(socket_path=one, role=one_role, rx_mode=rx_mode)} ! "
            f"memifsink {properties(socket_path=other, role=other_role)}")
    return " ".join(lines)


class GstToGstTest(InteropTest):
    """Every test ends with counted, judged traffic."""

    @contextlib.contextmanager
    def served(self, role, peer_settings=None, path=None, description=None, **settings):
        """A responder in this role and a connected peer."""
        path = path or self.socket()
        with Peer(opposite(role), path, **(peer_settings or {})) as peer:
            if peer.role == "master":
                peer.listen()
            with Pipeline(description or responder(path, role, **settings)) as pipe:
                peer.connect()
                yield peer, pipe
                pipe.assert_alive()

    def load(self, peer, count=COUNT, sizes=(64, 1500, 9000), windows=(256, 256, 64), mac=None,
             queues=(0,)):
        if mac is None:
            mac, _ = traffic.resolve(peer)
        for size, window in zip(sizes, windows):
            flow = packets.EchoFlow(4, size, mac or None, count)
            traffic.echo(peer, flow, count, window, queues)
            self.assertEqual(flow.seen.count(1), count)

    # gst-memif on both sides of a link

    def chain(self, near, middle, separate, rx_mode=None):
        """peer <-> forwarder <-> responder; `near`, `middle`: the forwarder's two roles."""
        here, there = self.socket("a"), self.socket("b")
        lines = [forwarder(here, near, there, middle, rx_mode),
                 responder(there, opposite(middle), src=dict(rx_mode=rx_mode))]
        with contextlib.ExitStack() as stack:
            peer = stack.enter_context(Peer(opposite(near), here))
            if peer.role == "master":
                peer.listen()
            for line in lines if separate else [" ".join(lines)]:
                stack.enter_context(Pipeline(line))
            peer.connect()
            self.load(peer)

    def test_two_processes(self):
        for near in ("master", "slave"):
            for middle in ("master", "slave"):
                with self.subTest(near=near, middle=middle):
                    self.chain(near, middle, True)

    def test_one_process(self):
        for near, middle in (("master", "slave"), ("slave", "master")):
            with self.subTest(near=near, middle=middle):
                self.chain(near, middle, False)

    def test_two_processes_adaptive(self):
        self.chain("master", "slave", True, "adaptive")

    # one responder, all its settings

    def test_rx_modes(self):
        for role in ("slave", "master"):
            for mode in RX_MODES:
                with self.subTest(role=role, rx_mode=mode):
                    with self.served(role, src=dict(rx_mode=mode)) as (peer, _):
                        self.load(peer)

    def test_polling_peer(self):
        """The peer masks its interrupts, as DPDK and VPP do; the receiver must not depend on a signal."""
        for role in ("slave", "master"):
            with self.subTest(role=role):
                with self.served(role, dict(polling=True)) as (peer, _):
                    self.load(peer, COUNT // 4)

    def test_one_at_a_time(self):
        """A single packet under way: each one has to wake the other side."""
        for role in ("slave", "master"):
            for mode in RX_MODES:
                with self.subTest(role=role, rx_mode=mode):
                    with self.served(role, src=dict(rx_mode=mode)) as (peer, _):
                        self.load(peer, COUNT // 20, (64,), (1,))

    def test_abstract_socket(self):
        for role in ("slave", "master"):
            with self.subTest(role=role):
                name = f"@memif-interop-{os.getpid()}-{role}"
                with self.served(role, path=name) as (peer, _):
                    self.load(peer, 1000)

    def test_secret(self):
        for role in ("slave", "master"):
            for secret in ("right", "exactly-24-bytes-long-ab"):
                with self.subTest(role=role, secret=secret):
                    with self.served(role, dict(secret=secret.encode()), secret=secret) \
                            as (peer, _):
                        self.load(peer, 1000, (64,))

    def test_wrong_secret_of_slave(self):
        """Our slave is refused, waits, and is let in once the master knows its secret."""
        path = self.socket()
        with Peer("master", path, secret=b"other") as peer:
            peer.listen()
            with Pipeline(responder(path, "slave", secret="mine")):
                with self.assertRaises((Refused, Gone, ProtocolError)):
                    peer.connect(10, retry=False)
                peer.config.secret = b"mine"
                peer.connect()
                self.load(peer, 1000, (64,))

    def test_client_and_server_are_understood(self):
        for role in ("client", "server"):
            with self.subTest(role=role):
                with self.served(role) as (peer, _):
                    self.load(peer, 1000, (64,))

    def test_both_families(self):
        for role in ("slave", "master"):
            with self.subTest(role=role):
                with self.served(role) as (peer, _):
                    mac, pair = traffic.resolve(peer, 6)
                    for size in (64, 1500, 9000):
                        sample = list(pair)
                        flow = packets.EchoFlow(6, size, mac, COUNT)
                        traffic.echo(peer, flow, COUNT, 64, sample=sample)
                        traffic.second_opinion(sample, self.directory)

    def test_mode_ip(self):
        for role in ("slave", "master"):
            for version in (4, 6):
                with self.subTest(role=role, version=version):
                    with self.served(role, dict(mode="ip"), mode="ip") as (peer, _):
                        sample = []
                        flow = packets.EchoFlow(version, 84, None, COUNT)
                        traffic.echo(peer, flow, COUNT, 256, sample=sample)
                        traffic.second_opinion(sample, self.directory, ethernet=False)

    def test_layouts(self):
        """Buffers in a region of their own or behind the rings, small ones and large ones."""
        for split in (True, False):
            for size in (64, 100, 2048, 9216, 65536):
                with self.subTest(split=split, buffer_size=size):
                    with self.served("master", dict(split=split, buffer_size=size, log2=8)) \
                            as (peer, _):
                        self.load(peer, 500, (64, 1500, 9000) if size > 64 else (64, 1500),
                                  (64, 8, 1))

    def test_buffer_sizes(self):
        """The same of our own making: we are slave and lay the memory out."""
        for size in (64, 128, 2048, 9216, 65536):
            with self.subTest(buffer_size=size):
                with self.served("slave", buffer_size=size, ring_size=256) as (peer, _):
                    self.load(peer, 500, (64, 1500, 9000) if size > 64 else (64, 1500),
                              (64, 8, 1))

    def test_ring_sizes(self):
        for role in ("slave", "master"):
            for log2, window in ((1, 1), (3, 4), (14, 4096)):
                with self.subTest(role=role, ring_size=1 << log2):
                    settings = dict(ring_size=1 << log2)
                    with self.served(role, dict(log2=log2), **settings) as (peer, _):
                        self.assertEqual(peer.link.tx[0].ring.size, 1 << log2)
                        self.load(peer, max(500, COUNT // 10) if log2 < 14 else COUNT * 2, (64,),
                                  (window,))

    # queues

    def queues_line(self, path, role, count):
        return " ".join(
            responder(path, role, rx_queues=count, tx_queues=count, queue=queue)
            for queue in range(count))

    def test_four_queues(self):
        for role in ("slave", "master"):
            with self.subTest(role=role):
                path = self.socket(role)
                with self.served(role, dict(tx_queues=4, rx_queues=4), path,
                                 self.queues_line(path, role, 4)) as (peer, _):
                    self.assertEqual((len(peer.link.tx), len(peer.link.rx)), (4, 4))
                    self.load(peer, queues=(0, 1, 2, 3))
                    for queue in range(4):      # each queue on its own, answered on its own
                        mac, _ = traffic.resolve(peer, queue=queue)
                        peer.send(packets.EchoFlow(4, 98, mac).requests(0, 10), queue)
                        seen = []
                        while len(seen) < 10:
                            part = peer.recv(pipeline.PATIENCE, queue)
                            self.assertTrue(part, f"queue {queue} answers on itself")
                            seen += part

    def test_fan_in(self):
        """Three queues in, one out: counts of a link need not agree."""
        if pipeline.stand_in():
            self.skipTest("the stand-in knows no funnel")
        for role in ("slave", "master"):
            with self.subTest(role=role):
                path = self.socket(role)
                common = dict(socket_path=path, role=role, rx_queues=3, tx_queues=1)
                line = " ".join(f"memifsrc {properties(**common, queue=n)} ! f." for n in range(3))
                line += (f" funnel name=f ! icmpresponder address={pipeline.ADDRESSES} ! "
                         f"memifsink {properties(**common)}")
                with self.served(role, dict(tx_queues=3, rx_queues=1), path, line) as (peer, _):
                    self.load(peer, queues=(0, 1, 2))

    def test_fan_out(self):
        """One queue in, three out, of which the last is used."""
        for role in ("slave", "master"):
            with self.subTest(role=role):
                with self.served(role, dict(tx_queues=1, rx_queues=3), rx_queues=1, tx_queues=3,
                                 sink=dict(queue=2)) as (peer, _):
                    self.assertEqual((len(peer.link.tx), len(peer.link.rx)), (1, 3))
                    self.load(peer)

    def test_raw_frames(self):
        """An element that fills a pool's buffers to its own size: no byte behind the frame is sent."""
        if pipeline.stand_in():
            self.skipTest("the stand-in has no videotestsrc")
        for role in ("slave", "master"):
            with self.subTest(role=role):
                path = self.socket(role)
                line = ("videotestsrc num-buffers=5 pattern=white ! "
                        "video/x-raw,format=GRAY8,width=64,height=16 ! "
                        "capssetter replace=true join=false "
                        "caps=application/x-packet,link-type=ethernet ! "
                        f"memifsink {properties(socket_path=path, role=role, when_down='block')}")
                with Peer(opposite(role), path) as peer:
                    if peer.role == "master":
                        peer.listen()
                    with Pipeline(line) as pipe:
                        peer.connect()
                        seen = []
                        while len(seen) < 5:
                            part = peer.recv(pipeline.PATIENCE)
                            self.assertTrue(part, pipe.output())
                            seen += part
                        self.assertEqual({len(frame) for frame in seen}, {1024})
                        self.assertEqual(pipe.wait(10), 0)
                        pipe.stop = lambda: None

    # coming and going

    def test_start_order(self):
        """The first to start waits for the other, in either role."""
        for role in ("slave", "master"):
            for first in ("pipeline", "peer"):
                with self.subTest(role=role, first=first), contextlib.ExitStack() as stack:
                    path = self.socket(f"{role}-{first}")
                    peer = stack.enter_context(Peer(opposite(role), path))
                    if first == "peer" and peer.role == "master":
                        peer.listen()
                    pipe = stack.enter_context(Pipeline(responder(path, role), arguments=()))
                    if first == "pipeline":
                        if role == "master":
                            self.wait_socket(path)
                        else:
                            pipe.wait_playing()
                    peer.connect()
                    self.load(peer, 1000, (64,))

    def test_pipeline_restarted(self):
        """The pipeline goes and comes back under a peer that stays."""
        path = self.socket()
        with Peer("master", path) as peer:
            peer.listen()
            for _ in range(5):
                with Pipeline(responder(path, "slave")):
                    peer.connect()
                    self.load(peer, 500, (64,))
                peer.disconnect()

    def test_reconnect_without_goodbye(self):
        for role in ("slave", "master"):
            with self.subTest(role=role):
                path = self.socket(role)
                with Peer(opposite(role), path) as peer:
                    if peer.role == "master":
                        peer.listen()
                    with Pipeline(responder(path, role)) as pipe:
                        for _ in range(20):
                            peer.connect()
                            self.load(peer, 200, (64,), (100,))
                            peer.disconnect()
                            pipe.assert_alive()

    def test_several_ids(self):
        """One listener, three interfaces, all at once; a fourth id is refused."""
        path = self.socket()
        line = " ".join(
            responder(path, "master", id=n) for n in (0, 7, 4294967295))
        with Pipeline(line), contextlib.ExitStack() as stack:
            peers = [stack.enter_context(Peer("slave", path, id=n)) for n in (0, 7, 4294967295)]
            for peer in peers:
                peer.connect()
            for peer in peers + peers:
                self.load(peer, 500, (64,))
            with Peer("slave", path, id=8) as stranger:
                with self.assertRaises((Refused, Gone)):
                    stranger.connect(5, retry=False)

    def test_slaves_with_several_ids(self):
        """The same the other way: one process dials one listener for three interfaces."""
        path = self.socket()
        with Peer("master", path) as peer:
            peer.listen()
            for number in (0, 1, 2):
                peer.config.id = number
                with Pipeline(responder(path, "slave", id=number)):
                    peer.connect()
                    self.load(peer, 500, (64,))
                    peer.disconnect()

    def test_names(self):
        with self.served("slave", dict(name="p" * 32, if_name="q" * 32),
                         interface_name="our-end") as (peer, pipe):
            if not pipeline.stand_in():
                self.assertEqual(peer.remote_name, "our-end")
            traffic.one_echo(peer)
            pipe.assert_silent()

    def test_link_messages(self):
        """Up and down of the link are told on the bus."""
        if pipeline.stand_in():
            self.skipTest("the stand-in has no bus")
        path = self.socket()
        with Peer("master", path) as peer:
            peer.listen()
            with Pipeline(responder(path, "slave"), arguments=("-m",)) as pipe:
                peer.connect()
                for state in ("true", "false"):
                    told = f"memif-link, link-up=(boolean){state}"
                    pipeline.wait_for(lambda: pipe.output().count(told) >= 2, 5,
                                      f"the messages of both elements: {told}")
                    peer.disconnect()

    # What gst-launch prints

    def test_messages_can_be_printed(self):
        """`gst-launch-1.0 -m` has words for each field of each message."""
        if pipeline.stand_in():
            self.skipTest("there is no gst-launch-1.0")
        path = self.socket()
        lines = {"memifsrc0": f"memifsrc role=master socket-path={path} ! fakesink",
                 "memifsink0": f"packetgen rate=1000 ! memifsink socket-path={path}"}
        pipes = {name: Pipeline(line, ("-m", "-v"), {"GST_DEBUG": "2"})
                 for name, line in lines.items()}
        try:
            # The control thread posts these: a stream that ended could be faster.
            for name, pipe in pipes.items():
                for words in (f'"{name}" (element): memif-link, link-up=(boolean)true',
                              r'gerror=(GError)"Link\ up'):
                    pipeline.wait_for(lambda: words in pipe.output(), 20, words)
            for pipe in pipes.values():
                pipe.stop()
                said = pipe.output()
                for complaint in ("No value transform", "CRITICAL", "assertion"):
                    self.assertNotIn(complaint, said)
        finally:
            for pipe in pipes.values():
                pipe.kill()
                pipe.log.close()
