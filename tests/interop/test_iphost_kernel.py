# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""iphost and the kernel's network stack: TAP <-> testpmd <-> memif <-> iphost.

testpmd is the memif server, and pipelines are its clients.
"""

import contextlib
import functools
import hashlib
import itertools
import re
import shutil
import socket
import subprocess
from pathlib import Path

import lan
import netns
import pipeline
import testpmd
from base import InteropTest
from lan import IP4, IP6, OUR_IP4, OUR_IP6, OUR_MAC, Pipeline, Sniffer, udp_socket
from pipeline import wait_for
from test_iphost import description, missing, receiving, sending

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6MLReport2, ICMPv6ND_NS
from scapy.layers.l2 import ARP, Ether

DEVICE = "interop"
SECONDS = 60
COUNT, SIZE = 50, 1000
_numbers = itertools.count()


class KernelTest(InteropTest):
    """Each meeting has a testpmd of its own: DPDK's server may crash when its client goes."""

    @classmethod
    def why_not(cls):
        return testpmd.missing() or netns.missing() or super().why_not() or missing()

    @contextlib.contextmanager
    def kernel(self):
        """The kernel's end of the link: self.space, which testpmd joins to self.path."""
        self.path = f"{self.directory}/{next(_numbers)}"
        with netns.Namespace() as self.space, testpmd.Testpmd(
                f"net_tap0,iface={DEVICE}", testpmd.memif(0, "server", self.path),
                netns=self.space.name, extra=("--disable-link-check",)) as self.forwarder:
            self.forwarder.wait_started()
            self.space.wait_device(DEVICE)
            for words in (("addr", "add", IP4 + "/24", "dev", DEVICE),
                          ("addr", "add", IP6 + "/64", "dev", DEVICE, "nodad"),
                          ("link", "set", DEVICE, "up"), ("link", "set", "lo", "up"),
                          ("route", "add", "239.0.0.0/8", "dev", DEVICE)):
                self.space.ip(*words)
            yield

    @contextlib.contextmanager
    def host(self, launch):
        """A pipeline whose iphost answers the kernel."""
        with Pipeline(launch) as pipe:
            yield pipe
            self.assertIsNone(self.forwarder.process.poll(), "testpmd has ended")
            self.forwarder.process.kill()

    @contextlib.contextmanager
    def both(self, launch):
        """`launch` gets the path of the socket."""
        with self.kernel(), self.host(launch(self.path)) as pipe:
            yield pipe

    def answers(self, target=OUR_IP4):
        """Waits until the kernel reaches a host of ours."""
        wait_for(lambda: self.space.execute("ping", "-c1", "-W1", "-n", target, check=False)
                 .returncode == 0, SECONDS, f"an answer of {target}")


class IpHostKernelTest(KernelTest):

    def idle(self, path):
        return receiving(path, f"{self.directory}/idle")

    def test_ping(self):
        """No echo request is lost, also in fragments, and the kernel calls us reachable."""
        with self.both(self.idle):
            for target in (OUR_IP4, OUR_IP6):
                with self.subTest(target=target):
                    self.answers(target)
                    for size in (56, 1400):
                        sent, received, rest = self.space.ping(target, 200, size)
                        self.assertEqual((sent, received), (200, 200), rest)
                    entry = self.space.ip("neigh", "show", target).stdout
                    self.assertIn(f"lladdr {OUR_MAC}", entry)
                    self.assertRegex(entry, "REACHABLE|DELAY|STALE")
                    sent, received, rest = self.space.ping(target, 5, 4000, 0.05, fragments=True)
                    self.assertEqual((sent, received), (5, 5), f"in fragments: {rest}")

    def test_udp_to_kernel(self):
        """What we send arrives at the kernel's udpsrc, in order; we found it by ARP and ND."""
        for to in (IP4, IP6):
            with self.subTest(to=to), self.kernel(), Sniffer(self.space.name, DEVICE) as wire:
                name = f"{self.directory}/to{':' in to}"
                data = lan.payload_file(f"{name}.in", COUNT * SIZE)
                address = "::" if ":" in to else "0.0.0.0"
                with Pipeline(f"udpsrc address={address} port=5004 ! filesink location={name}.out "
                             "buffer-mode=unbuffered", self.space) as receiver:
                    self.listens(5004)
                    with self.host(sending(self.path, f"{name}.in", to)):
                        got = lan.grown_to(f"{name}.out", len(data))
                    receiver.assert_alive()
                self.same(got, data)
                ours = wire.of(OUR_MAC)
                kinds = [Ether(p) for p in ours]
                self.assertTrue(any(
                    ICMPv6ND_NS in p and p[ICMPv6ND_NS].tgt == IP6 if ":" in to else
                    ARP in p and p[ARP].pdst == IP4 for p in kinds))
                lan.scapy_approves(ours)
                lan.tshark_approves(f"{name}.pcap", ours)

    def same(self, got, data):
        self.assertEqual(hashlib.sha256(got).hexdigest(), hashlib.sha256(data).hexdigest(),
                         f"{len(got)} of {len(data)} bytes")

    def test_udp_from_kernel(self):
        for to in (OUR_IP4, OUR_IP6):
            with self.subTest(to=to):
                name = f"{self.directory}/from{':' in to}"
                data = lan.payload_file(f"{name}.in", COUNT * SIZE)
                with self.both(lambda path: receiving(path, f"{name}.out")):
                    self.answers(to)
                    with Pipeline(f"filesrc location={name}.in blocksize={SIZE} ! "
                                 f"udpsink host={to} port=5004 sync=false", self.space) as sender:
                        self.assertEqual(sender.wait(SECONDS), 0, sender.output())
                    got = lan.grown_to(f"{name}.out", len(data))
                self.same(got, data)

    def test_port_unreachable(self):
        """A connected socket of the kernel learns that nobody receives at a port."""
        with self.both(self.idle):
            for target, local in ((OUR_IP4, IP4), (OUR_IP6, IP6)):
                with self.subTest(target=target):
                    self.answers(target)
                    with udp_socket(self.space.name, local) as sock:
                        sock.connect((target, 9))
                        sock.send(b"nobody")
                        self.assertRaises(ConnectionRefusedError, sock.recv, 100)

    def test_kernel_refuses(self):
        """The kernel's own error for a port changes nothing: media go on."""
        data = f"{self.directory}/refused"
        lan.payload_file(data, 6000 * SIZE)      # for a minute
        with self.kernel(), Sniffer(self.space.name, DEVICE) as wire, \
                self.host(sending(self.path, data, IP4, port=4444)):
            def error(packet):
                return ICMP in packet and packet[ICMP].type == 3 and packet[IP].dst == OUR_IP4

            def ours(packet):
                return UDP in packet and packet.src == OUR_MAC
            wire.until(error, SECONDS, "the kernel's error")
            for _ in range(3):
                wire.until(ours, SECONDS, "a datagram")
                wire.forget()

    def test_fragments(self):
        """Datagrams beyond the MTU, both ways and both families."""
        for target, local in ((OUR_IP4, IP4), (OUR_IP6, IP6)):
            name = f"{self.directory}/fragments{':' in target}"
            data = lan.payload_file(f"{name}.in", 20 * 5000)
            with self.subTest(to="us", target=target), \
                    self.both(lambda path: receiving(path, f"{name}.out")):
                self.answers(target)
                with udp_socket(self.space.name, local) as sock:
                    for at in range(0, len(data), 5000):
                        sock.sendto(data[at:at + 5000], (target, 5004))
                self.same(lan.grown_to(f"{name}.out", len(data)), data)
            with self.subTest(to="the kernel", target=local), self.kernel(), \
                    udp_socket(self.space.name, local, 5004) as sock, \
                    self.host(sending(self.path, f"{name}.in", local, size=5000,
                                      host="fragment=true")):
                self.receives(sock, data, 20)

    def receives(self, sock, data, count):
        self.same(b"".join(sock.recv(65535) for _ in range(count)), data)

    def test_multicast_from_kernel(self):
        """We join: the report is seen on the TAP, tshark reads it, and the group's data arrives."""
        for group, local in (("239.9.9.9", IP4), ("ff15::9", IP6)):
            name = f"{self.directory}/group{':' in group}"
            launch = functools.partial(receiving, file=f"{name}.out",
                                       pad=f"udp_src_0::multicast-group={group}")
            with self.subTest(group=group), self.kernel(), \
                    Sniffer(self.space.name, DEVICE) as wire:
                with self.host(launch(self.path)):
                    wire.until(self.reports(group), SECONDS, "a membership report")
                    self.answers(OUR_IP6 if ":" in group else OUR_IP4)
                    with udp_socket(self.space.name, local) as sock:
                        if ":" in group:
                            index = int(self.space.execute(
                                "cat", f"/sys/class/net/{DEVICE}/ifindex").stdout)
                            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
                        wait_for(lambda: self.reachable(sock, group), SECONDS, "a route")
                        for n in range(20):
                            sock.sendto(bytes([n]) * 100, (group, 5004))
                    expected = b"".join(bytes([n]) * 100 for n in range(20))
                    self.same(lan.grown_to(f"{name}.out", 2000), expected)
                lan.tshark_approves(f"{name}.pcap", wire.of(OUR_MAC))
                field = "icmpv6.mldr.mar.multicast_address" if ":" in group else "igmp.maddr"
                records = lan.fields(f"{name}.pcap", f"{field} == {group}", "frame.number")
                self.assertTrue(records, "no report names the group")

    @staticmethod
    def reachable(sock, group):
        """Whether the kernel sends; a device that has just come up is down for IPv6 at first."""
        try:
            return sock.sendto(b"", (group, 9)) == 0
        except OSError:
            return False

    @staticmethod
    def reports(group):
        family = socket.AF_INET6 if ":" in group else socket.AF_INET
        raw = socket.inet_pton(family, group)

        def wanted(packet):
            return packet.src == OUR_MAC and raw in bytes(packet) and (
                ICMPv6MLReport2 in packet or IP in packet and packet[IP].proto == 2)
        return wanted

    def test_multicast_to_kernel(self):
        """The kernel's udpsrc joins, and receives what we send to the group."""
        name = f"{self.directory}/togroup"
        data = lan.payload_file(f"{name}.in", COUNT * SIZE)
        with self.kernel(), Pipeline(
                f"udpsrc address=239.9.9.9 port=5004 multicast-iface={DEVICE} ! filesink "
                f"location={name}.out buffer-mode=unbuffered", self.space):
            wait_for(lambda: "239.9.9.9" in self.space.ip("maddr", "show", "dev", DEVICE).stdout,
                     SECONDS, "the kernel's membership")
            with self.host(sending(self.path, f"{name}.in", "239.9.9.9")):
                self.same(lan.grown_to(f"{name}.out", len(data)), data)

    def test_gateway(self):
        """The kernel as our gateway to an address that is not on the link."""
        data = lan.payload_file(f"{self.directory}/far.in", 20 * SIZE)
        with self.kernel():
            self.space.ip("addr", "add", "198.51.100.7/32", "dev", "lo")
            with udp_socket(self.space.name, "198.51.100.7", 5004) as sock, \
                    self.host(sending(self.path, f"{self.directory}/far.in", "198.51.100.7",
                                      host=f"gateway={IP4}")):
                self.receives(sock, data, 20)

    def test_two_hosts_with_one_address(self):
        """We take the kernel's address: a warning names it and who has it."""
        with self.kernel():
            shown = self.space.ip("link", "show", DEVICE).stdout
            mac = re.search(r"link/ether (\S+)", shown).group(1)
            with self.host(receiving(self.path, f"{self.directory}/idle",
                                     address=f"{IP4}/24")) as pipe:
                wait_for(lambda: re.search(rf"WARNING(?s:.*){re.escape(IP4)}", pipe.output()) and
                         mac in pipe.output(), SECONDS, "a warning")

    def listens(self, port):
        """Waits until a socket of the kernel is bound."""
        wait_for(lambda: f":{port} " in self.space.execute("ss", "-lunH").stdout, SECONDS,
                 f"a socket at {port}")


class FfmpegTest(KernelTest):
    """FFmpeg plays what we send and we play what it sends, every frame bit by bit.

    Decoders of H.264 agree to the bit, so the file that is sent has the frames to expect. A few more
    are sent than compared: a decoder may keep its last ones.
    """

    SENT, COMPARED = 70, 60
    WIDTH, HEIGHT = 160, 120
    CAPS = ("application/x-rtp,media=video,clock-rate=90000,encoding-name=H264,payload=96,"
            "packetization-mode=(string)1")

    @classmethod
    def why_not(cls):
        return super().why_not() or (None if shutil.which("ffmpeg") else "ffmpeg is not installed")

    def setUp(self):
        self.file = f"{self.directory}/pictures.ts"
        self.ffmpeg("-f", "lavfi", "-i", f"testsrc=size={self.WIDTH}x{self.HEIGHT}:rate=30",
                    "-frames:v", str(self.SENT), "-c:v", "libx264", "-pix_fmt", "yuv420p",
                    "-bf", "0", "-g", "15", "-f", "mpegts", self.file)
        self.ffmpeg("-i", self.file, "-f", "rawvideo", "-pix_fmt", "yuv420p",
                    f"{self.directory}/expected.yuv")
        size = self.WIDTH * self.HEIGHT * 3 // 2
        data = Path(self.directory, "expected.yuv").read_bytes()
        self.expected = self.frames(data, size)
        self.size = size

    def frames(self, data, size):
        return [hashlib.md5(data[at:at + size]).hexdigest()
                for at in range(0, min(len(data), self.COMPARED * size), size)]

    def ffmpeg(self, *words):
        netns.run("ffmpeg", "-y", "-v", "error", "-nostdin", *words)

    def test_ffmpeg_plays_what_we_send(self):
        sdp = Path(self.directory, "media.sdp")
        sdp.write_text(f"v=0\no=- 0 0 IN IP4 {OUR_IP4}\ns=test\nc=IN IP4 {IP4}\nt=0 0\n"
                       "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n")
        out = f"{self.directory}/played.md5"
        with self.kernel(), self.player(sdp, out) as player:
            wait_for(lambda: ":5004" in self.space.execute("ss", "-lunH").stdout, SECONDS,
                     "FFmpeg's socket")
            launch = description(
                self.path, before=f"filesrc location={self.file} ! tsdemux ! h264parse ! rtph264pay "
                "config-interval=-1 ! clocksync ! h.udp_sink_0",
                pads=f"udp_sink_0::host={IP4} udp_sink_0::port=5004", sink="when-down=block")
            with self.host(launch):
                said, _ = player.communicate(timeout=120)
        lines = [line for line in Path(out).read_text().splitlines() if not line.startswith("#")]
        self.assertEqual([line.rsplit(",", 1)[1].strip() for line in lines], self.expected, said)

    @contextlib.contextmanager
    def player(self, sdp, out):
        player = subprocess.Popen(
            ["ip", "netns", "exec", self.space.name, "ffmpeg", "-y", "-v", "error", "-nostdin",
             "-protocol_whitelist", "file,udp,rtp", "-i", str(sdp), "-frames:v", str(self.COMPARED),
             "-vsync", "passthrough", "-pix_fmt", "yuv420p", "-f", "framemd5", out],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            preexec_fn=pipeline.die_with_parent)
        try:
            yield player
        finally:
            player.kill()
            player.communicate()

    def test_we_play_what_ffmpeg_sends(self):
        out = f"{self.directory}/played.yuv"
        launch = functools.partial(
            description, pads="udp_src_0::port=5004",
            after=f"h.udp_src_0 ! {self.CAPS} ! rtpjitterbuffer latency=100 ! rtph264depay ! "
            f"avdec_h264 max-threads=1 ! video/x-raw,format=I420 ! filesink location={out} "
            "buffer-mode=unbuffered")
        with self.both(launch):
            self.answers()
            self.space.execute("ffmpeg", "-v", "error", "-nostdin", "-re", "-i", self.file, "-c",
                               "copy", "-f", "rtp", f"rtp://{OUR_IP4}:5004?pkt_size=1200")
            data = lan.grown_to(out, self.COMPARED * self.size)
        self.assertEqual(self.frames(data, self.size), self.expected)
