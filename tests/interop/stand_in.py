#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Stands where the pipeline stands, to test the tests: a responder and forwarder on memif_peer.

Takes the words of a gst-launch-1.0 line (memifsrc, memifsink, icmpresponder only) and behaves as
the elements should towards honest peers, and survives hostile ones by starting over. It is slow and
knows few properties; a test that fails against it and against the elements is itself suspect.
"""

import contextlib
import os
import signal
import socket
import struct
import sys
import threading
import time

import packets
import memif_wire as wire
from memif_peer import Config, MasterSession, slave_connect
from memif_wire import Channel

MAC = bytes.fromhex("02a000000001")


def respond(packet, link):
    """The reply to a request, or None."""
    if link:
        kind = packet[12:14]
        if kind == packets.ETH_ARP and packet[20:22] == b"\0\1":
            body = packet[14:20] + b"\0\2" + MAC + packet[38:42] + packet[22:32]
            return (packet[6:12] + MAC + kind + body).ljust(60, b"\0")
        head = packet[6:12] + MAC + kind
    else:
        kind = packets.ETH_IP4 if packet[0] >> 4 == 4 else packets.ETH_IP6
        head = b""
    ip = packet[link:]
    if kind == packets.ETH_IP4 and ip[9] == 1 and ip[20] == 8:
        total = struct.unpack_from("!H", ip, 2)[0]
        icmp = ip[20:total]
        value = packets.checksum(b"\0\0\0\0" + icmp[4:])
        return head + ip[:12] + ip[16:20] + ip[12:16] + struct.pack("!HH", 0, value) + icmp[4:]
    if kind == packets.ETH_IP6 and ip[6] == 58 and ip[40] == 128:
        icmp = ip[40:40 + struct.unpack_from("!H", ip, 4)[0]]
        pseudo = packets.pseudo6(ip[24:40], ip[8:24], len(icmp))
        value = packets.checksum(pseudo + b"\x81\0\0\0" + icmp[4:])
        return head + ip[:8] + ip[24:40] + ip[8:24] + struct.pack("!HH", 0x8100, value) + icmp[4:]
    if kind == packets.ETH_IP6 and ip[6] == 58 and ip[40] == 135:
        body = b"\x60\0\0\0" + ip[48:64] + b"\x02\x01" + MAC
        pseudo = packets.pseudo6(ip[48:64], ip[8:24], len(body) + 4)
        value = packets.checksum(pseudo + b"\x88\0\0\0" + body)
        return head + ip[:6] + b"\x3a\xff" + ip[48:64] + ip[8:24] + \
            struct.pack("!HH", 0x8800, value) + body
    return None


class Interface:
    """One memif interface with its current link, renewed by a thread."""

    listeners = {}

    def __init__(self, path, role, settings):
        self.path, self.role = path, {"client": "slave", "server": "master"}.get(role, role)
        self.config = Config(
            id=int(settings.get("id", 0)), mode=settings.get("mode", "ethernet"),
            secret=settings.get("secret", "").encode(), name="stand-in", sealed=True,
            tx_queues=int(settings.get("tx-queues", 1)),
            rx_queues=int(settings.get("rx-queues", 1)),
            log2=int(settings.get("ring-size", 1024)).bit_length() - 1,
            buffer_size=int(settings.get("buffer-size", 2048)))
        self.link = None
        self.lock = threading.Lock()

    def start(self):
        if self.role == "slave":
            threading.Thread(target=self._dial, daemon=True).start()
        else:
            mates = self.listeners.setdefault(self.path, [])
            mates.append(self)
            if len(mates) == 1:
                threading.Thread(target=self._listen, args=(mates,), daemon=True).start()

    def _dial(self):
        while True:
            channel = None
            with contextlib.suppress(Exception):
                channel = Channel.dial(self.path, time.monotonic() + 1e6)
                self._serve(slave_connect(channel, self.config, time.monotonic() + 5))
            if channel:
                channel.close()
            time.sleep(0.02)

    def _listen(self, mates):
        listener = wire.listen(self.path, 128)
        while True:
            channel = Channel(listener.accept()[0])
            threading.Thread(target=self._greet, args=(channel, mates), daemon=True).start()

    @staticmethod
    def _greet(channel, mates):
        """One handshake; the id in INIT says for which of the interfaces."""
        with contextlib.suppress(Exception):
            deadline = time.monotonic() + 5
            channel.send(wire.hello("stand-in"))
            first = channel.expect(wire.INIT, deadline)
            mate = next((m for m in mates if m.config.id == first.id), None)
            if mate is None or mate.link is not None:
                channel.send(wire.disconnect("id unknown or busy"))
            else:
                session = MasterSession(_Replay(channel, first), mate.config)
                mate._serve(session.run(deadline))
        channel.close()

    def _serve(self, link):
        link.channel.sock.settimeout(None)
        self.link = link
        with contextlib.suppress(Exception):
            link.channel.recv(1e6)
        with self.lock:
            self.link = None
            link.close()

    def receive(self, queue):
        with self.lock:
            return self.link.recv_now(queue) if self.link else []

    def send(self, packets_, queue):
        with self.lock:
            if self.link:
                self.link.send(packets_, queue, 0.2)

    def fail(self):
        with contextlib.suppress(Exception):
            self.link.channel.sock.shutdown(socket.SHUT_RDWR)


class _Replay:
    """A channel whose HELLO is already out and whose INIT is already in."""

    def __init__(self, channel, first):
        self.channel, self.first = channel, first
        self.sock = channel.sock

    def send(self, data, fds=()):
        if data[:2] != struct.pack("=H", wire.HELLO):
            self.channel.send(data, fds)

    def expect(self, kind, deadline):
        first, self.first = self.first, None
        return first or self.channel.expect(kind, deadline)

    def recv(self, timeout):
        return self.channel.recv(timeout)

    def fileno(self):
        return self.channel.fileno()

    def close(self):
        self.channel.close()


def parse(words):
    """[(element, properties), ...] per pipeline."""
    pipelines, current = [], []
    after_link = False
    for word in words:
        if word == "!":
            after_link = True
        elif "=" in word:
            name, value = word.split("=", 1)
            current[-1][1][name] = value
        else:
            if current and not after_link:
                pipelines.append(current)
                current = []
            current.append((word, {}))
            after_link = False
    return pipelines + [current]


def main():
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    pipelines = parse([word for word in sys.argv[1:] if not word.startswith("-")])
    settings = {}
    for element, values in (pair for line in pipelines for pair in line):
        if element.startswith("memif"):
            key = (values["socket-path"], values.get("id", "0"), values.get("role", "slave"))
            settings.setdefault(key, {}).update(values)
    interfaces = {key: Interface(key[0], key[2], values) for key, values in settings.items()}
    for interface in interfaces.values():
        interface.start()
    routes = []
    for line in pipelines:
        ends = [(interfaces[(v["socket-path"], v.get("id", "0"), v.get("role", "slave"))],
                 int(v.get("queue", 0))) for e, v in line if e.startswith("memif")]
        routes.append((*ends, any(e == "icmpresponder" for e, _ in line)))
    while True:
        busy = False
        for (source, rx), (sink, tx), answers in routes:
            try:
                batch = source.receive(rx)
            except Exception:
                source.fail()
                continue
            if batch:
                busy = True
                link = 14 if source.config.mode == "ethernet" else 0
                if answers:
                    batch = [reply for reply in (respond(p, link) for p in batch) if reply]
                with contextlib.suppress(Exception):
                    sink.send(batch, tx)
        if not busy:
            time.sleep(0.001)


if __name__ == "__main__":
    main()
