# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""What iphost meets: a station behind a memif link, in scapy, and the kernel behind a TAP.

Every packet that comes from iphost is kept, so that tshark and scapy can judge all of them.
"""

import ctypes
import errno
import logging
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pipeline
import verify
from memif_wire import Gone, Refused

logging.getLogger("scapy").setLevel(logging.ERROR)

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6MLReport2,
                                ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr,
                                ICMPv6NDOptSrcLLAddr, IPv6, IPv6ExtHdrFragment)
from scapy.layers.l2 import ARP, Ether

MAC, IP4, IP6 = "02:fe:00:00:09:02", "10.9.0.2", "fd09::2"
OUR_MAC, OUR_IP4, OUR_IP6 = "02:fe:00:00:09:01", "10.9.0.1", "fd09::1"
CHECKS = [word for name in ("ip", "udp") for word in ("-o", f"{name}.check_checksum:TRUE")]
WARNING = 0x600000      # of tshark's severities: warnings and errors
CLONE_NEWNET = 0x40000000


class Pipeline(pipeline.Pipeline):
    """gst-launch, in a namespace of the network if one is given; it may end by itself."""

    def __init__(self, description, space=None, arguments=("-m",)):
        self.space = space
        super().__init__(description, arguments)

    def program(self):
        prefix = ["ip", "netns", "exec", self.space.name] if self.space else []
        return prefix + ["gst-launch-1.0"]

    def stop(self, timeout=pipeline.PATIENCE):
        pipeline.wait_for(lambda: not self.alive() or self.handles_interrupts(), timeout,
                          "the start")
        self.process.send_signal(signal.SIGINT)
        code = self.wait(timeout)
        # After the end of the stream gst-launch does not catch the signal any more.
        if code and not (code == -signal.SIGINT and "Got EOS" in self.output()):
            self.assert_alive()
        self.assert_silent()


class Station:
    """A host in Python: answers ARP and neighbour solicitations, keeps all that comes."""

    def __init__(self, peer, addresses=(IP4, IP6), mac=MAC, may_leave=False):
        self.peer, self.addresses, self.mac = peer, set(addresses), mac
        self.may_leave = may_leave      # the host, at the end of its file
        self.left = False
        self.seen = []          # all that came, as bytes
        self.answers = True

    def poll(self, timeout=0.0):
        """Takes what is there, answers what a host would, and returns it dissected."""
        fresh = []
        try:
            arrived = self.peer.recv(timeout)
        except (Refused, Gone):
            if not self.may_leave:
                raise
            self.left = True
            return []
        for data in arrived:
            self.seen.append(data)
            packet = Ether(data)
            fresh.append(packet)
            if self.answers and (reply := self.reply(packet)):
                self.peer.send([bytes(reply)], timeout=1)
        return fresh

    def reply(self, packet):
        if ARP in packet and packet[ARP].op == 1 and packet[ARP].pdst in self.addresses:
            ask = packet[ARP]
            return Ether(src=self.mac, dst=ask.hwsrc) / ARP(
                op=2, hwsrc=self.mac, psrc=ask.pdst, hwdst=ask.hwsrc, pdst=ask.psrc)
        if ICMPv6ND_NS in packet and packet[ICMPv6ND_NS].tgt in self.addresses:
            ask = packet[IPv6].src
            solicited = ask != "::"
            return (Ether(src=self.mac, dst=packet.src if solicited else "33:33:00:00:00:01") /
                    IPv6(src=packet[ICMPv6ND_NS].tgt, dst=ask if solicited else "ff02::1",
                         hlim=255) /
                    ICMPv6ND_NA(tgt=packet[ICMPv6ND_NS].tgt, R=0, S=int(solicited), O=1) /
                    ICMPv6NDOptDstLLAddr(lladdr=self.mac))
        return None

    def send(self, *packets):
        sent = self.peer.send([bytes(packet) for packet in packets], timeout=30)
        if sent != len(packets):
            raise AssertionError(f"{sent} of {len(packets)} packets fitted within 30 s")

    def until(self, wanted, timeout=pipeline.PATIENCE, what="the packet", again=None):
        """Polls until a packet satisfies `wanted`, and returns it; `again` is called meanwhile."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and not self.left:
            if again:
                again()
            for packet in self.poll(0.1):
                if wanted(packet):
                    return packet
        kinds = [Ether(data).summary() for data in self.seen[-20:]]
        raise AssertionError(f"{what} did not come within {timeout} s; there were {kinds}")

    def keep_polling(self, seconds):
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.poll(min(left, 0.1))


def fields(path, expression, *names):
    """The values of fields of the packets that a display filter selects."""
    command = ["tshark", "-n", "-r", str(path), *CHECKS, "-Y", expression, "-T", "fields"]
    for name in names:
        command += ["-e", name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


BAD = " || ".join(['_ws.malformed', *(f'{name}.checksum.status == "Bad"' for name in (
    "ip", "udp", "icmp", "icmpv6", "igmp"))])


def tshark_approves(path, packets, allowed=()):
    """No packet malformed, no checksum bad, nothing that its expert warns about, but `allowed`."""
    verify.write_pcap(path, packets)
    wrong = [line for line in fields(path, f"{BAD} || _ws.expert.severity >= {WARNING}",
                                     "frame.number", "_ws.col.Info", "_ws.expert.message")
             if not any(text in line[2] for text in allowed)]
    assert not wrong, f"tshark finds fault with packets of {path}: {wrong}"


CHECKED = ((IP, "chksum"), (IP, "len"), (IP, "ihl"), (UDP, "chksum"), (UDP, "len"),
           (ICMP, "chksum"), (IPv6, "plen"), (ICMPv6EchoReply, "cksum"), (ICMPv6ND_NA, "cksum"),
           (ICMPv6ND_NS, "cksum"), (ICMPv6MLReport2, "cksum"), (ICMPv6DestUnreach, "cksum"))


def scapy_approves(packets):
    """Each packet, built anew by scapy without lengths and checksums, is the same bytes.

    The payload of errors stays as it is: it quotes a packet of somebody else. So does what a
    fragment carries: the checksum there is of the whole datagram.
    """
    for data in packets:
        packet = Ether(data)
        if IPv6ExtHdrFragment in packet or (
                IP in packet and (packet[IP].frag or packet[IP].flags.MF)):
            layers = CHECKED[:3] + ((IPv6, "plen"),)
        else:
            layers = CHECKED
        for layer, field in layers:
            if layer in packet:
                delattr(packet[layer], field)
        assert bytes(packet) == data, (
            f"scapy would have sent {bytes(packet)[:120].hex()}, not {data[:120].hex()}: "
            f"{packet.summary()}")


def in_namespace(name, function):
    """Runs a function with the network of a namespace; sockets made there stay there."""
    result = {}

    def run():
        libc = ctypes.CDLL(None, use_errno=True)
        with open(f"/run/netns/{name}", "rb") as space:
            if libc.setns(space.fileno(), CLONE_NEWNET):
                result["error"] = OSError(ctypes.get_errno(), "setns")
                return
        try:
            result["value"] = function()
        except OSError as error:
            result["error"] = error

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if "error" in result:
        raise result["error"]
    return result["value"]


def udp_socket(name, address, port=0, timeout=pipeline.PATIENCE):
    """A bound UDP socket in a namespace."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = in_namespace(name, lambda: socket.socket(family, socket.SOCK_DGRAM))
    sock.settimeout(timeout)
    sock.bind((address, port))
    return sock


class Sniffer:
    """Everything that crosses a device of a namespace, as bytes."""

    def __init__(self, name, device):
        self.sock = in_namespace(name, lambda: socket.socket(
            socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)))
        self.sock.bind((device, 0))
        self.sock.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)     # SO_RCVBUFFORCE
        self.seen = []

    def poll(self, timeout=0.0):
        deadline = time.monotonic() + timeout
        while True:
            self.sock.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                self.seen.append(self.sock.recv(65535))
            except (TimeoutError, BlockingIOError):
                return self.seen
            except OSError as error:
                if error.errno != errno.ENETDOWN:       # told once, when the device has gone
                    raise

    def until(self, wanted, timeout=pipeline.PATIENCE, what="the packet"):
        deadline, at = time.monotonic() + timeout, 0
        while time.monotonic() < deadline:
            self.poll(0.1)
            for data in self.seen[at:]:
                at += 1
                packet = Ether(data)
                if wanted(packet):
                    return packet
        raise AssertionError(f"{what} was not seen within {timeout} s; "
                             f"there were {[Ether(d).summary() for d in self.seen[-20:]]}")

    def forget(self):
        self.seen.clear()

    def of(self, mac):
        """What a station sent; what the kernel sends may lack its checksums here."""
        return [data for data in self.poll() if Ether(data).src == mac]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


def payload_file(path, size, seed=1):
    """A file of bytes that do not repeat, to be cut into datagrams."""
    import random
    data = random.Random(seed).randbytes(size)
    Path(path).write_bytes(data)
    return data


def grown_to(path, size, timeout=pipeline.PATIENCE):
    """Waits until a file has that many bytes, and returns all of it."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if os.path.exists(path) and os.path.getsize(path) >= size:
            break
        time.sleep(0.02)
    return Path(path).read_bytes() if os.path.exists(path) else b""
