#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""An application with an event loop of its own, and two pipelines in it.

One answers on a memif interface; the other is the interface's peer, whose packets the application
makes and takes: appsrc and appsink. All control channels are served by the application's loop, so
that the library has no thread for them.
"""

import os
import socket
import struct
import sys
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

FIRST, SECOND, OURS = "192.168.1.1", "192.168.1.77", "192.168.1.2"
OUR_MAC = bytes.fromhex("020000000002")
BROADCAST = b"\xff" * 6
ARP, IPV4 = b"\x08\x06", b"\x08\x00"
PAYLOAD = bytes(range(56))
TIMEOUT_SECONDS = 60


def checksum(data):
    """The Internet checksum of RFC 1071."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def arp_request(target):
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + OUR_MAC + socket.inet_aton(OURS)
    return BROADCAST + OUR_MAC + ARP + body + bytes(6) + socket.inet_aton(target)


def arp_owner(frame, target):
    """The hardware address in an ARP reply for `target`, or None."""
    if frame[12:14] != ARP or frame[20:22] != b"\0\2" or frame[28:32] != socket.inet_aton(target):
        return None
    return frame[22:28]


def echo(kind, source, target, sequence):
    """ICMP echo, 8 for a request and 0 for a reply, in IPv4."""
    icmp = struct.pack("!BBHHH", kind, 0, 0, 0x4D49, sequence) + PAYLOAD
    icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(icmp), 0, 0, 64, 1, 0)
    header += socket.inet_aton(source) + socket.inet_aton(target)
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + icmp


def has_control_thread():
    """Whether the library runs a thread of its own for control channels."""
    names = [task.joinpath("comm").read_text().strip()
             for task in Path("/proc/self/task").iterdir()]
    return "memif-control" in names


class Pipeline:
    """A pipeline whose elements use the application's context, and whose messages come to it."""

    def __init__(self, description, context, on_message):
        self.pipeline = Gst.parse_launch(description)
        for name in ("in", "out"):
            self[name].set_property("main-context", context)
        # The watch goes to the context that is the default of the thread at this moment.
        context.push_thread_default()
        self.bus = self.pipeline.get_bus()
        self.bus.add_signal_watch()
        self.bus.connect("message", lambda _bus, message: on_message(message))
        context.pop_thread_default()

    def __getitem__(self, name):
        return self.pipeline.get_by_name(name)

    def play(self):
        if self.pipeline.set_state(Gst.State.PLAYING) == Gst.StateChangeReturn.FAILURE:
            raise RuntimeError("the pipeline does not start")

    def stop(self):
        self.pipeline.set_state(Gst.State.NULL)
        self.bus.remove_signal_watch()


class Application:
    """One step after another, each taken when the one before has its result."""

    def __init__(self, path):
        self.context = GLib.MainContext.new()
        self.loop = GLib.MainLoop.new(self.context, False)
        self.responder = Pipeline(
            f"memifsrc name=in role=master socket-path={path} ! "
            f"icmpresponder name=responder address={FIRST} ! "
            f"memifsink name=out role=master socket-path={path}", self.context, self.on_message)
        self.peer = Pipeline(
            f"memifsrc name=in interface-name=embed socket-path={path} ! "
            "appsink name=packets emit-signals=true sync=false async=false "
            "appsrc name=source format=time is-live=true do-timestamp=true "
            "caps=application/x-packet,link-type=ethernet ! "
            f"memifsink name=out socket-path={path}", self.context, self.on_message)
        self.peer["packets"].connect("new-sample", self.on_sample)
        self.address, self.owner = FIRST, None
        self.sent = self.received = 0
        self.failure = "the loop ended before its work was done"

    def run(self):
        """The exit code."""
        timeout = GLib.timeout_source_new_seconds(TIMEOUT_SECONDS)
        timeout.set_callback(lambda *_: self.finish("no reply came in time"))
        timeout.attach(self.context)
        self.responder.play()
        self.peer.play()
        self.loop.run()
        timeout.destroy()
        self.peer.stop()
        self.responder.stop()
        print(f"FAILED: {self.failure}" if self.failure else "done")
        return 1 if self.failure else 0

    # Events

    def on_message(self, message):
        if message.type == Gst.MessageType.ERROR:
            self.finish(message.parse_error()[0].message)
        # Both elements of an interface tell of the link; here the sink of the peer is listened
        # to, because packets can be sent once it has one.
        news = message.get_structure()
        if news is None or news.get_name() != "memif-link" or message.src != self.peer["out"]:
            return
        print(f"memif-link: {'up' if news['link-up'] else 'down'}, peer '{news['peer-name']}'")
        if news["link-up"]:
            self.ask_who_has()

    def on_sample(self, sink):
        """In the streaming thread of memifsrc: hands the packet to the loop."""
        buffer = sink.emit("pull-sample").get_buffer()
        frame = buffer.extract_dup(0, buffer.get_size())
        arrival = GLib.idle_source_new()
        arrival.set_callback(lambda *_: self.receive(frame))
        arrival.attach(self.context)
        return Gst.FlowReturn.OK

    # Packets

    def send(self, frame):
        self.peer["source"].emit("push-buffer", Gst.Buffer.new_wrapped(frame))
        self.sent += 1

    def send_echo(self, sequence):
        self.send(self.owner + OUR_MAC + IPV4 + echo(8, OURS, self.address, sequence))

    def ask_who_has(self):
        print(f"sent: ARP request for {self.address}")
        self.send(arp_request(self.address))

    def receive(self, frame):
        self.received += 1
        owner = arp_owner(frame, self.address)
        if owner:
            self.owner = owner
            print(f"received: ARP reply, {self.address} is at {owner.hex(':')}")
            print("sent: echo request")
            self.send_echo(1)
        elif frame == OUR_MAC + (self.owner or b"") + IPV4 + echo(0, self.address, OURS, 1):
            print(f"received: echo reply of {len(frame) - 34} bytes, right")
            self.conclude() if self.address == SECOND else self.move_responder()
        else:
            self.finish(f"a packet that is not the reply expected: {frame.hex()}")

    def move_responder(self):
        """Another address, while everything runs."""
        self.responder["responder"].set_property("address", SECOND)
        print(f"address of the responder is {SECOND} now")
        # The old address is unused now: this request gets no answer, and is counted.
        self.send_echo(2)
        self.address = SECOND
        self.ask_who_has()

    # End

    def conclude(self):
        taken = self.responder["in"].get_property("stats")["packets"]
        answered = self.responder["out"].get_property("stats")["packets"]
        foreign = self.responder["responder"].get_property("stats")["drop-not-for-us"]
        print(f"stats: {taken} packets taken, {answered} answered, {foreign} not for us")
        if (taken, answered, foreign) != (self.sent, self.received, 1):
            return self.finish("wrong counters")
        thread = has_control_thread()
        print(f"thread memif-control: {'yes' if thread else 'none'}")
        return self.finish("the library has a control thread" if thread else None)

    def finish(self, failure):
        self.failure = failure
        self.loop.quit()


def main():
    Gst.init(None)
    sys.stdout.reconfigure(line_buffering=True)
    if Gst.ElementFactory.find("memifsrc") is None:
        print("GStreamer finds no memifsrc: run this through `meson devenv -C build`",
              file=sys.stderr)
        return 1
    return Application(f"@gst-memif-embed-{os.getpid()}").run()


if __name__ == "__main__":
    sys.exit(main())
