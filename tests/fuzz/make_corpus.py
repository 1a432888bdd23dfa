#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Writes the seeds of the fuzzers: corpus/NAME/*, a few dozen small files each.

    make_corpus.py [DIRECTORY]

Each seed is what the Input of its fuzzer takes for a short, sensible run: one that gets far. What a
fuzzer finds on its way from there stays outside of the tree.
"""

import struct
import sys
from pathlib import Path

import capture_seeds
import host_seeds
import packet_seeds

HERE = Path(__file__).resolve().parent


def u8(*values):
    return bytes(values)


def u16(*values):
    return struct.pack(f"<{len(values)}H", *values)


def u32(*values):
    return struct.pack(f"<{len(values)}I", *values)


def u64(*values):
    return struct.pack(f"<{len(values)}Q", *values)


def around(choice):
    """Input::around(): one of the values that are listed."""
    return u8(choice)


# ---- handshake: handshake.cpp -----------------------------------------------------------------

ACK, HELLO, INIT, REGION, RING, CONNECT, CONNECTED, DISCONNECT = 0, 1, 2, 3, 5, 7, 8, 9
SEALED, WAKE = u8(6), u8(2)


def message(kind, body=b"", fds=u8(4), files=b""):
    """One message of the peer; `fds` 4 brings what belongs to it."""
    return u8(1, kind) + body + fds + files


def raw(body, size=0):
    return u8(0) + body.ljust(128, b"\0") + around(size) + u8(4)


def name(text):
    return u8(len(text)) + text.encode()


def region(index=0, size=0, file=SEALED):
    return message(REGION, around(index) + around(size), files=file)


def ring(direction, index=0, where=0, offset=0, log2=1, header=0, file=WAKE):
    body = u8(direction) + b"".join(map(around, (index, where, offset, log2, header)))
    return message(RING, body, files=file)


def hello(minimum=0, maximum=0, regions=0, s2m=0, m2s=0, log2=0):
    return message(HELLO, name("peer") + b"".join(
        map(around, (minimum, maximum, regions, s2m, m2s, log2))))


def connect(text="eth0"):
    return message(CONNECT, name(text))


def handshakes():
    master = u8(4, 1)  # INIT is done
    rings = ring(0) + ring(1, offset=3)
    yield "master", master + region() + rings + connect()
    yield "master-line128", master + region() + ring(0, log2=1) + ring(1, offset=2) + connect()
    yield "master-init", u8(4, 0) + message(INIT, around(0) + u32(7) + name("s") + name("app")) + \
        region() + ring(0) + connect()
    yield "master-refused", u8(4, 0) + message(INIT, around(0) + u32(0xffffffff) + name("") + name(""))
    yield "master-regions", master + region() + region(1, 1) + ring(0, where=1) + connect()
    yield "master-no-rings", master + region() + connect()
    yield "master-two-rings", master + region() + ring(0) + ring(0, 1, offset=3) + ring(1, offset=1) + \
        connect("\x1b[31mred")
    for kind in range(6):
        yield f"master-file{kind}", master + region(file=u8(kind) + u16(4096) * (kind == 0)) + \
            ring(0) + connect()
    for kind in range(2):
        yield f"master-wake{kind}", master + region() + ring(0, file=u8(kind, 1, 2)) + connect()
    for bad, arguments in {"index": {"index": 1}, "header": {"header": 4}, "offset": {"offset": 4},
                           "region": {"where": 1}}.items():
        yield f"master-bad-{bad}", master + region() + ring(0, **arguments) + connect()
    yield "master-no-fd", master + message(REGION, around(0) + around(0), u8(0))
    yield "master-many-fds", master + message(REGION, around(0) + around(0), u8(1, 199))
    yield "master-odd-fds", master + message(ACK, b"", u8(2) + SEALED) + message(ACK)
    yield "master-goodbye", master + message(DISCONNECT, u32(1) + name("bye"))
    yield "master-unread", u8(3, 1) + b"".join(region(i and 1) for i in range(2)) + ring(0) * 12
    yield "master-unread-regions", u8(3, 1) + \
        b"".join(message(REGION, u8(7) + u16(i) + around(0), files=SEALED) for i in range(12))
    yield "raw-region", master + raw(u16(4, 0) + u64(8192))
    yield "raw-ring", master + region() + raw(u16(5, 1, 0, 0) + u32(0) + u8(3) + u16(0))
    yield "raw-init", u8(4, 0) + raw(u16(3, 0x200) + u32(1) + u8(0) + b"secret".ljust(24, b"\0") + b"x")
    for kind in range(10):
        yield f"raw-type{kind}", u8(4, 0) + raw(u16(kind) + bytes(range(100)))
    yield "raw-short", master + raw(b"", 2)
    yield "raw-long", master + raw(u16(1), 3) + u8(200)

    def slave(acks, tx=0, rx=0):
        return u8(1, 2, 63, tx, rx, 1, acks)

    yield "slave", slave(5) + message(CONNECTED, name("vpp"))
    yield "slave-queues", slave(7, 1, 1) + message(CONNECTED, name(""))
    yield "slave-hello", u8(1, 2, 63, 1, 1, 0) + hello() + message(ACK) * 7 + message(CONNECTED, name("x"))
    yield "slave-acks", slave(0) + message(ACK) * 5 + message(CONNECTED, name("x"))
    for limit in ({"minimum": 3, }, {"maximum": 3}, {"regions": 2}, {"s2m": 1, "m2s": 1}, {"log2": 2}):
        yield "slave-limit-" + "-".join(limit), u8(1, 2, 63, 1, 1, 0) + hello(**limit) + message(ACK)
    yield "slave-fds", slave(1) + message(ACK, b"", u8(2) + SEALED)
    yield "slave-unexpected", slave(2) + message(CONNECTED, name("early"))
    yield "text", u8(0) + "plain, \u00e4, \x1b[0m\x7f".encode() + b"\xff\xc3"


# ---- rings: rings.cpp -------------------------------------------------------------------------

def peer(what, *body, ring_number=0):
    return u8(0, ring_number, what) + b"".join(body)


def we(what, *body):
    return u8(1, what) + b"".join(body)


HEAD, TAIL, MASK, SCRIBBLE, FILL, SHRINK, DESCRIBE = range(7)
RECEIVE, LEND, _, GIVE, BORROW, EXCHANGE, _, SEND, RUN, FLUSH, RX_ODD, TX_ODD, LONG = range(13)


def describe(slot, what, flags=None, where=None, length=None, offset=None, ring_number=0):
    body = u8(slot, what)
    for bit, value in ((1, flags), (2, where), (4, length), (8, offset)):
        if what & bit:
            body += around(value)
    return peer(DESCRIBE, body, ring_number=ring_number)


def fill(ring_number, where=1, length=0):
    return peer(FILL, u8(ring_number), around(where), around(length))


def step(ring_number, which, choice):
    return peer(which, around(choice), ring_number=ring_number)


def rings():
    # Ring 0 is S2M, ring 1 M2S. As slave we send into 0 and receive from 1.
    packet = around(0)
    send = we(SEND, u8(1), packet)
    for lines in (0, 1):
        slave = u8(0, 3) + u16(99) + u8(lines)
        master = u8(1, lines, 1, 1, 1, 1, 1, 3)  # two sealed regions, 16 slots
        got = describe(0, 5, 0, None, 0, ring_number=1)
        yield f"slave-receive{lines}", slave + got + step(1, TAIL, 0) + we(RECEIVE, u8(9))
        yield f"slave-lend{lines}", slave + got + step(1, TAIL, 2) + we(LEND, u8(9, 1)) + \
            we(EXCHANGE, u8(0, 0, 1)) + we(FLUSH) + step(0, TAIL, 0) + we(GIVE, u8(0)) + send
        yield f"slave-borrow{lines}", slave + we(BORROW, u8(5)) + we(EXCHANGE, u8(0, 1, 1)) + \
            we(EXCHANGE, u8(0, 2, 0, 1, 1)) + we(FLUSH) + step(0, TAIL, 0) + we(BORROW, u8(9)) + \
            we(GIVE, u8(0))
        yield f"slave-send{lines}", slave + send * 3 + we(SEND, u8(3), packet, around(2), around(3)) + \
            we(RUN, u8(20), packet) + we(FLUSH) + peer(MASK, u8(1)) + send + we(FLUSH) + \
            we(TX_ODD, u8(2)) + send + we(TX_ODD, u8(0))
        yield f"master-receive{lines}", master + fill(0) + step(0, HEAD, 2) + we(RECEIVE, u8(9)) + \
            we(RECEIVE, u8(1)) + we(RX_ODD, u8(0))
        yield f"master-lend{lines}", master + fill(0) + step(0, HEAD, 2) + we(LEND, u8(1, 1)) + \
            we(LEND, u8(1, 1)) + step(0, HEAD, 2) + we(RX_ODD, u8(1)) + we(GIVE, u8(0)) + \
            we(LEND, u8(9, 1)) + we(RX_ODD, u8(2))
        yield f"slave-long{lines}", slave + got + step(1, TAIL, 2) + we(LONG, u8(9, 0)) * 2 + \
            we(EXCHANGE, u8(0, 0, 1)) + we(FLUSH) + we(GIVE, u8(0))
        yield f"master-long{lines}", master + fill(0) + describe(1, 1, 1) + step(0, HEAD, 2) + \
            we(LONG, u8(9, 0)) * 4 + we(RX_ODD, u8(1)) + we(GIVE, u8(0)) + we(LONG, u8(9, 200))
        yield f"master-send{lines}", master + fill(1) + step(1, HEAD, 3) + send + we(RUN, u8(9), packet) + \
            we(SEND, u8(2), around(3), around(3)) + we(FLUSH) + we(TX_ODD, u8(3))
        yield f"chain{lines}", master + fill(0) + describe(0, 1, 1) + describe(1, 1, 1) + \
            step(0, HEAD, 1) + we(RECEIVE, u8(9)) + step(0, HEAD, 0) + we(RECEIVE, u8(9)) + \
            describe(4, 1, 1) + step(0, HEAD, 2) + we(LEND, u8(9, 1)) + we(RECEIVE, u8(9))
    for what, value in ((2, {"where": 3}), (4, {"length": 2}), (4, {"length": 3}), (8, {"offset": 3})):
        damage = describe(0, what, ring_number=0, **value)
        yield f"master-damaged-{'-'.join(value)}{value.popitem()[1]}", master + fill(0) + damage + \
            step(0, HEAD, 2) + we(LEND, u8(9, 1)) + we(RECEIVE, u8(9))
    yield "master-far", master + step(0, HEAD, 3) + we(RECEIVE, u8(9)) + we(SEND, u8(1), packet)
    yield "slave-far", slave + step(1, TAIL, 3) + we(RECEIVE, u8(9)) + step(0, TAIL, 3) + send
    yield "master-bad-buffer", master + fill(1) + describe(0, 8, offset=3, ring_number=1) + \
        step(1, HEAD, 2) + send
    unsealed = u8(1, 0, 0, 0, 1, 3)
    yield "shrink", unsealed + fill(0, 0) + step(0, HEAD, 2) + we(LEND, u8(1, 1)) + \
        peer(SHRINK, u8(0, 0)) + we(RECEIVE, u8(9)) + we(GIVE, u8(0)) + send + we(FLUSH)
    yield "scribble", slave + peer(SCRIBBLE, u8(0), u16(6), u8(3), u16(1, 2)) + we(RECEIVE, u8(9))
    yield "down", slave + send + we(TX_ODD, u8(1)) + we(FLUSH) + we(RECEIVE, u8(9))


# ---- interfaces: interfaces.cpp ---------------------------------------------------------------

EVENTS = u8(0)
LISTEN, ACCEPT, TALK, LEAVE = u8(2, 0), u8(2, 1), u8(3, 0, 15), u8(5, 0)
MS_25, MS_150, MS_1100, MS_5100, MS_31000 = range(5)


def passes(time, without_descriptors=False):
    return u8(1, time, 0 if without_descriptors else 1)


def slave_peer(number=0, secret=1, mode=1, queues=0, log2=3):
    return u8(2, 5, number, secret, mode, queues, queues, log2, 99)


def peer_does(what, *body):
    return u8(4, 0, what) + b"".join(body)


def says(message_, number=0):
    return u8(4, number, 0) + message_


INIT_0 = message(INIT, around(0) + u32(0) + name("") + name("x"))


def one_of_ours(role, *changes, start=1):
    return u8(role, 3, 99, len(changes)) + b"".join(changes) + u8(start)


def abstract(*ours):
    return u8(0, len(ours) - 1) + b"".join(ours)


def path(there, *ours):
    return u8(1, there, len(ours) - 1) + b"".join(ours)


def ours(what, *body, which=0):
    return u8(7, which, what) + b"".join(body)


START, RECONFIGURE, OPEN, CLOSE, OBSERVE, TAKE, _, _, WAIT, PUT = range(10)
STOP = ours(START, u8(0))
LISTEN_MODE, UIDS, SECRET, RX_QUEUES, LIMIT = u8(11), u8(12), u8(2), u8(3), u8(7)
SEND_ONE, FLUSH_ALL, SEND_MANY = (ours(PUT, u8(0, *what)) for what in ((8, 0), (5,), (7, 63)))


def receiver(mode, queue=0):
    return ours(OPEN, u8(queue, 1, mode))


def sender(queue=0):
    return ours(OPEN, u8(queue, 0))


def interfaces():
    slave, master = 0, 1
    joined = slave_peer() + TALK
    ports = receiver(0) + receiver(2, 1) + sender() + sender(1)
    traffic = SEND_ONE + FLUSH_ALL + peer_does(4, u8(9)) + peer_does(5, u8(9)) + \
        ours(TAKE, u8(0, 4, 9)) + peer_does(5, u8(9)) + ours(TAKE, u8(0, 3, 9)) + \
        ours(PUT, u8(0, 3, 0)) + ours(PUT, u8(0, 3, 1)) + FLUSH_ALL + ours(WAIT, u8(2)) + ours(TAKE, u8(0, 2))
    dialled = LISTEN + passes(MS_25) + ACCEPT + TALK
    for name_, there in (("abstract", abstract(one_of_ours(master))),
                         ("path", path(5, one_of_ours(master)))):
        yield f"master-{name_}", there + joined + ports + traffic + LEAVE + EVENTS + traffic
    for number, kind in enumerate(("stale", "file", "link")):
        yield f"master-on-{kind}", path(number, one_of_ours(master)) + joined
    yield "master-busy", path(5, one_of_ours(master, start=0)) + LISTEN + ours(START, u8(3))
    yield "slave", abstract(one_of_ours(slave)) + ports + dialled + traffic + LEAVE + EVENTS + \
        passes(MS_1100) + ACCEPT + TALK + traffic
    yield "slave-on-file", path(1, one_of_ours(slave)) + passes(MS_25)
    yield "both", abstract(one_of_ours(master), one_of_ours(slave)) + passes(MS_25) + ports + traffic
    yield "two-masters", abstract(one_of_ours(master, u8(0, 1)), one_of_ours(master)) + joined + \
        slave_peer(1) + TALK + slave_peer(1) + TALK + slave_peer(2) + TALK
    yield "same-id", abstract(one_of_ours(master), one_of_ours(master)) + joined
    yield "other-options", abstract(one_of_ours(master, LISTEN_MODE + u8(0)), one_of_ours(master))
    for number, uid in enumerate(("ours", "others")):
        yield f"uids-{uid}", abstract(one_of_ours(master, UIDS + u8(number))) + joined
    secret = abstract(one_of_ours(master, SECRET + u8(1)))
    for number, kind in enumerate(("right", "none")):
        yield f"secret-{kind}", secret + slave_peer(secret=number) + TALK
    yield "mode", abstract(one_of_ours(master)) + slave_peer(mode=0) + TALK
    yield "memory-limit", abstract(one_of_ours(master, LIMIT + u8(1))) + joined
    for step, name_ in ((MS_5100, "silent"), (MS_31000, "slow")):
        yield f"master-{name_}", abstract(one_of_ours(master)) + slave_peer() + u8(3, 0, 2) + \
            passes(step) + passes(step)
        yield f"slave-{name_}", abstract(one_of_ours(slave)) + LISTEN + passes(MS_25) + ACCEPT + \
            u8(3, 0, 2) + passes(step) + passes(step)
    for none in (0, 1):
        yield f"crowd{none}", abstract(one_of_ours(master)) + u8(2, 4, none) + passes(MS_150) + \
            slave_peer() + EVENTS + passes(MS_1100) + passes(MS_1100) + passes(MS_5100)
    yield "slave-no-descriptors", abstract(one_of_ours(slave)) + LISTEN + \
        passes(MS_25, True) + passes(MS_1100) + ACCEPT + TALK
    yield "start-no-descriptors", abstract(one_of_ours(master, start=0)) + ours(START, u8(1)) + \
        ours(START, u8(3)) + joined
    backlog = abstract(one_of_ours(master))
    yield "backlog", backlog + receiver(2) + u8(6, 0, 2, 19) + ours(TAKE, u8(0, 4, 9)) * 5 + \
        ours(WAIT, u8(1)) + ours(CLOSE, u8(0, 1))
    yield "backlog-limit", backlog + receiver(0) + ours(RECONFIGURE, u8(0, 7, 1)) + u8(6, 0, 2, 9) + \
        ours(TAKE, u8(0, 4, 9)) * 5
    yield "nobody-receives", backlog + u8(6, 0, 2, 3)
    yield "late-ports", backlog + joined + peer_does(5, u8(3)) + ports + SEND_ONE + FLUSH_ALL + \
        LEAVE + EVENTS + ours(CLOSE, u8(0, 1)) + ours(CLOSE, u8(0, 0)) + ours(OBSERVE)
    for mode in range(3):
        yield f"modes{mode}", abstract(one_of_ours(master)) + receiver(mode) + joined + \
            peer_does(5, u8(3)) + ours(WAIT, u8(1)) + ours(WAIT, u8(1)) + ours(TAKE, u8(0, 4, 9)) + ours(WAIT, u8(1)) + \
            ours(WAIT, u8(1)) + ours(TAKE, u8(0, 1, (mode + 1) % 3)) + ours(WAIT, u8(2)) + ours(TAKE, u8(0, 0))
    yield "interrupted", abstract(one_of_ours(master)) + ports + joined + ours(PUT, u8(0, 0))
    yield "full", abstract(one_of_ours(master)) + sender() + joined + SEND_MANY + SEND_ONE * 2 + \
        ours(PUT, u8(0, 2)) * 2 + ours(PUT, u8(0, 1)) + ours(WAIT, u8(1)) + ours(PUT, u8(0, 4)) + \
        peer_does(4, u8(60)) + ours(WAIT, u8(1)) + ours(PUT, u8(0, 2))
    for setting in range(13):
        yield f"reconfigure{setting}", abstract(one_of_ours(master), one_of_ours(slave)) + \
            ports + passes(MS_25) + ours(RECONFIGURE, u8(0, setting, 2)) + passes(MS_1100) + \
            ours(RECONFIGURE, u8(0, setting, 1), which=1) + passes(MS_1100)
    yield "stop", abstract(one_of_ours(master), one_of_ours(slave)) + passes(MS_25) + ports + \
        traffic + STOP + EVENTS + ours(START, u8(3)) + passes(MS_1100)
    for which, ring_role in ((0, master), (0, slave)):
        yield f"damaged{ring_role}", abstract(one_of_ours(ring_role)) + ports + joined + dialled + \
            peer_does(2, u8(0, 0, 3)) + peer_does(2, u8(1, 1, 3)) + ours(TAKE, u8(0, 4, 9)) + \
            SEND_ONE + EVENTS + ours(WAIT, u8(1))
    regions = says(INIT_0) + says(region(file=u8(1)))
    rings_ = says(ring(0)) + says(ring(1, offset=3)) + says(connect()) + EVENTS
    there = abstract(one_of_ours(master)) + ports
    new = there + slave_peer() + EVENTS
    yield "unsealed", new + regions + rings_ + traffic + LEAVE + EVENTS + traffic
    yield "unsealed-refused", there + ours(RECONFIGURE, u8(0, 10, 0)) + slave_peer() + EVENTS + regions + EVENTS
    yield "said-no-descriptors", new + regions + passes(MS_25, True)
    yield "said-long", new + says(u8(0, 2, ACK, 0)) + EVENTS
    yield "said-short", new + says(u8(0, 0, ACK, 0)) + EVENTS
    yield "goodbye", there + joined + says(message(DISCONNECT, u32(0) + name("bye"), u8(0))) + EVENTS
    yield "unexpected", there + joined + says(message(ACK, b"", u8(0))) + EVENTS
    yield "two-at-once", there + slave_peer() + u8(3, 0, 1) + joined + EVENTS
    yield "exchange", abstract(one_of_ours(slave)) + ports + dialled + peer_does(5, u8(9)) + \
        ours(TAKE, u8(0, 3, 9)) * 2 + ours(PUT, u8(0, 3, 1)) + FLUSH_ALL
    yield "same-port", there + ports
    yield "gone-after-init", abstract(one_of_ours(slave)) + LISTEN + passes(MS_25) + ACCEPT + \
        u8(3, 0, 1) + LEAVE + EVENTS + ours(OBSERVE)
    yield "back-at-once", there + slave_peer() + joined + LEAVE + EVENTS + slave_peer() + EVENTS + \
        peer_does(1) + u8(5, 0) + EVENTS
    yield "memory-kept", there + ours(RECONFIGURE, u8(0, 7, 0)) + \
        (joined + peer_does(5, u8(3)) + ours(TAKE, u8(0, 3, 9)) + LEAVE + EVENTS) * 3


FUZZERS = {"handshake": handshakes, "interfaces": interfaces, "rings": rings,
           **capture_seeds.FUZZERS, **host_seeds.FUZZERS, **packet_seeds.FUZZERS}


def main():
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "corpus"
    for fuzzer, seeds in FUZZERS.items():
        directory = target / fuzzer
        directory.mkdir(parents=True, exist_ok=True)
        for old in directory.iterdir():
            old.unlink()
        for seed, content in seeds():
            (directory / seed).write_bytes(content)


if __name__ == "__main__":
    main()
