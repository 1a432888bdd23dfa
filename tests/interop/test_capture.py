# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""pcapsink, pcapsrc and bpffilter beside tshark, capinfos, editcap, mergecap, tcpdump and scapy."""

import os
import re
import shlex
import shutil
import struct
import subprocess
import time
from pathlib import Path

import doc_commands
import pipeline
import verify
from base import InteropTest, opposite
from pipeline import Pipeline

from scapy.layers.inet import ICMP, IP, TCP, UDP            # noqa: E402
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6      # noqa: E402
from scapy.layers.l2 import ARP, Dot1Q, Ether               # noqa: E402
from scapy.utils import PcapNgWriter, PcapWriter            # noqa: E402

TOOLS = ("tshark", "capinfos", "editcap", "mergecap", "tcpdump")
NAMES = ("a.pcap", "a.pcapng")
EXPRESSIONS = ("udp port 5004", "arp or icmp6", "ip6", "vlan and udp", "ether src 02:00:00:00:00:01",
               "greater 200", "tcp[tcpflags] & tcp-syn != 0", "not ip", "dst net 10.0.0.0/8",
               "ip[8] < 10", "udp portrange 5000-5010 and len < 100")


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, timeout=60,
                          check=True, **options).stdout


def some_packets():
    """Of every kind that expressions ask for."""
    frame = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    other = Ether(src="02:00:00:00:00:03", dst="02:00:00:00:00:02")
    found = []
    for number in range(40):
        ip = IP(src="192.168.1.2", dst=("10.1.2.3", "192.168.1.1")[number % 2], ttl=number + 1)
        found += [
            frame / ip / UDP(sport=4000, dport=5000 + number % 8) / bytes(number * 11),
            other / ip / TCP(sport=1, dport=80, flags="SA"[number % 2]),
            other / ip / ICMP() / bytes(number),
            frame / IPv6(src="fd00::1", dst="fd00::2") / UDP(sport=5004, dport=9) / bytes(number),
            frame / IPv6(src="fd00::1", dst="fd00::2") / ICMPv6EchoRequest(),
            other / ARP(psrc="192.168.1.2", pdst="192.168.1.1"),
            frame / Dot1Q(vlan=7) / ip / UDP(sport=5004, dport=5004),
        ]
    return found


class CaptureTest(InteropTest):

    @classmethod
    def why_not(cls):
        if pipeline.stand_in():
            return "the stand-in does not record"
        if not doc_commands.exists("pcapsink"):
            return "built without libpcap: there is no pcapsink"
        absent = [tool for tool in TOOLS if not shutil.which(tool)]
        return f"not installed: {', '.join(absent)}" if absent else super().why_not()

    def file(self, name):
        """A path unique to this test."""
        folder = Path(self.directory, self.id().rsplit(".", 1)[-1])
        folder.mkdir(exist_ok=True)
        return str(folder / name)

    def ends(self, description, timeout=60, code=0):
        """Runs a line that ends by itself; its output."""
        line = Pipeline(description, ("-m",))
        try:
            self.assertEqual(line.wait(timeout), code, f"{description}\n{line.output()[-3000:]}")
            if code == 0:
                line.assert_silent()
            return line.output()
        finally:
            line.kill()
            line.log.close()

    def records(self, path):
        """Time in nanoseconds, whole length and bytes of each packet, as editcap reads them."""
        run("editcap", "-F", "nsecpcap", path, f"{path}.ns")
        data = Path(f"{path}.ns").read_bytes()
        found, at = [], 24
        while at < len(data):
            second, nanosecond, kept, length = struct.unpack_from("=IIII", data, at)
            found.append((second * 10**9 + nanosecond, length, data[at + 16:at + 16 + kept]))
            at += 16 + kept
        os.unlink(f"{path}.ns")
        return found

    def assert_same(self, path, other):
        """How long packets were before they were cut does not travel with them."""
        ours, theirs = ([(time_, data) for time_, _, data in self.records(file)]
                        for file in (path, other))
        self.assertEqual(len(ours), len(theirs))
        self.assertTrue(ours == theirs, "packets differ")

    def assert_same_bytes(self, path, other):
        ours, theirs = self.records(path), self.records(other)
        self.assertEqual(len(ours), len(theirs))
        self.assertTrue([record[2] for record in ours] == [record[2] for record in theirs])

    def count(self, path):
        return int(re.search(r"Number of packets:\s+(\d+)",
                             run("capinfos", "-M", "-c", path).decode()).group(1))

    def test_tshark_and_capinfos_accept(self):
        for name in NAMES:
            for link_type, kind, arguments in (("ethernet", "ether", "ip-version=6"),
                                               ("ip", "rawip", "protocol=icmp-echo")):
                with self.subTest(name=name, link_type=link_type):
                    path = self.file(name)
                    self.ends(f"packetgen count=1000 size=imix {arguments} ! application/x-packet,"
                              f"link-type={link_type} ! pcapsink location={path} "
                              f"comment=seventh interface-name=memif7")
                    self.assertEqual(verify.tshark(path, verify.BAD), [])
                    about = run("capinfos", "-M", path).decode()
                    self.assertRegex(about, r"Number of packets:\s+1000\b")
                    self.assertRegex(about, rf"File encapsulation:\s+{kind}")
                    self.assertRegex(about, r"Time precision = nanoseconds")
                    if name.endswith("ng"):
                        self.assertRegex(about, r"comment:\s+seventh")
                        self.assertIn("Name = memif7", about)
                    self.assertLess(abs(time.time() - self.records(path)[0][0] / 1e9), 60)

    def foreign_files(self):
        """By others: formats, precisions, byte orders, sections, interfaces, comments."""
        packets = some_packets()
        for number, packet in enumerate(packets):
            packet.time = 1_600_000_000 + number * 0.25
        for name, options in (("us", {}), ("ns", dict(nano=True)), ("big", dict(endianness=">")),
                              ("big-ns", dict(endianness=">", nano=True))):
            writer = PcapWriter(self.file(name), **options)
            writer.write(packets)
            writer.close()
            yield self.file(name)
        writer = PcapNgWriter(self.file("scapy.pcapng"))
        writer.write(packets)
        writer.close()
        yield self.file("scapy.pcapng")
        source = self.file("ns")
        for name, options in (("edit.pcapng", ("-F", "pcapng", "-a", "2:second")),
                              ("later.pcapng", ("-F", "pcapng", "-t", "5000")),
                              ("snapped", ("-F", "nsecpcap", "-s", "50"))):
            run("editcap", *options, source, self.file(name))
            yield self.file(name)
        run("mergecap", "-I", "none", "-F", "pcapng", "-w", self.file("interfaces.pcapng"),
            self.file("us"), self.file("ns"))
        yield self.file("interfaces.pcapng")
        sections = b"".join(Path(self.file(name)).read_bytes()
                            for name in ("edit.pcapng", "later.pcapng"))
        Path(self.file("sections.pcapng")).write_bytes(sections)
        yield self.file("sections.pcapng")

    def test_files_of_others(self):
        """What editcap reads in them it reads in our copy, in each format."""
        for path in self.foreign_files():
            for name in NAMES:
                with self.subTest(path=os.path.basename(path), name=name):
                    copy = self.file(f"copy-{name}")
                    self.ends(f"pcapsrc location={path} ! pcapsink location={copy}")
                    self.assert_same(copy, path)

    def test_expressions(self):
        """tcpdump and bpffilter choose the same packets."""
        source = self.file("all.pcap")
        writer = PcapWriter(source)
        writer.write(some_packets())
        writer.close()
        for expression in EXPRESSIONS:
            with self.subTest(expression=expression):
                wanted, ours, rest = (self.file(name) for name in ("wanted", "ours", "rest"))
                run("tcpdump", "-r", source, "-w", wanted, expression)
                self.ends(f"pcapsrc location={source} ! bpffilter name=f "
                          f"expression={shlex.quote(expression)} ! pcapsink location={ours} "
                          f"f.rest ! pcapsink location={rest}")
                self.assert_same(ours, wanted)
                self.assertNotEqual(self.count(ours), 0)
                self.assertEqual(self.count(ours) + self.count(rest), self.count(source))

    def test_wrong_expression(self):
        output = self.ends("packetgen ! bpffilter expression='udp prot 7' ! fakesink", code=255)
        self.assertIn("syntax error", output)

    def test_tshark_watches_a_fifo(self):
        for name, form in (("pcap", ""), ("pcapng", "batches=false")):
            with self.subTest(name):
                fifo = self.file(name)
                os.mkfifo(fifo)
                line = Pipeline(f"packetgen rate=200 {form} ! pcapsink location={fifo} format={name}")
                try:
                    seen = run("tshark", "-l", "-i", fifo, "-c", "20").decode()
                    self.assertEqual(len(seen.splitlines()), 20, seen)
                    # It has gone, which is no reason for a signal to end the process.
                    self.assertEqual(line.wait(20), 1)
                    self.assertIn("reader has gone", line.output())
                finally:
                    line.kill()

    def test_pipes(self):
        """tcpdump writes to our standard input, and reads from our standard output."""
        source = self.file("all.pcap")
        writer = PcapWriter(source)
        writer.write(some_packets())
        writer.close()
        copy = self.file("copy")
        shell = (f"tcpdump -U -r {source} -w - | gst-launch-1.0 -q pcapsrc location=- ! "
                 f"pcapsink location=- | tcpdump -r - -w {copy}")
        run("bash", "-o", "pipefail", "-c", shell, env=pipeline.environment())
        self.assert_same(copy, source)

    def test_rotation(self):
        """All packets are in the files, each of which is whole; the messages name them."""
        output = self.ends(f"packetgen count=5000 size=imix ! pcapsink name=record "
                           f"location={self.file('a.pcapng')} max-file-size=100000")
        folder = os.path.dirname(self.file("a"))
        files = sorted(f"{folder}/{name}" for name in os.listdir(folder))
        self.assertGreater(len(files), 10)
        self.assertEqual(sum(map(self.count, files)), 5000)
        self.assertLessEqual(max(map(os.path.getsize, files)), 100000)
        self.assertEqual(re.findall(r'pcap-file-closed, location=\(string\)"?([^";]+)', output), files)

    def test_across_memif(self):
        """A recording that is replayed into a link comes out of it as it was."""
        source = self.file("all.pcap")
        writer = PcapWriter(source)
        writer.write(some_packets() * 20)
        writer.close()
        for role in ("slave", "master"):
            for form in ("", "batches=false", "batch-size=7"):
                with self.subTest(role=role, form=form):
                    path, copy = self.socket(role), self.file("copy")
                    receiver = Pipeline(f"memifsrc socket-path={path} role={opposite(role)} "
                                        f"eos-on-disconnect=true ! pcapsink location={copy}")
                    try:
                        self.ends(f"pcapsrc location={source} {form} ! memifsink "
                                  f"socket-path={path} role={role} when-down=block")
                        self.assertEqual(receiver.wait(20), 0, receiver.output())
                    finally:
                        receiver.kill()
                    self.assert_same_bytes(copy, source)

    def test_commands_of_the_pages(self):
        """Those that read a recording; test_docs runs the others."""
        lines = [line for page in doc_commands.PAGES if page != doc_commands.MEDIA
                 for line in doc_commands.commands(page) if "pcapsrc" in line]
        self.assertGreaterEqual(len(lines), 2)
        folder = os.path.dirname(self.file("a"))
        self.ends(f"packetgen count=300 destination-port=5004 ! pcapsink location={folder}/link.pcapng")
        for line in lines:
            line = line.replace("/tmp/", f"{folder}/").removeprefix("gst-launch-1.0")
            with self.subTest(line[:60]):
                if "memifsink" not in line:
                    self.ends(line)
                    self.assertEqual(self.count(f"{folder}/rtp.pcap"), 300)
                    continue
                path = re.search(r"socket-path=(\S+)", line).group(1)
                with Pipeline(line):
                    self.ends(f"memifsrc socket-path={path} role=master num-buffers=500 ! fakesink")
