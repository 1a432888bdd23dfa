# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""What tests do with a connected peer: find the responder, load it, count every reply."""

import time

import packets
import pipeline
from memif_peer import Peer


def is_answer(packet, version):
    """Whether it looks like the answer to a question of resolve()."""
    if version == 4:
        return packet[12:14] == packets.ETH_ARP
    return packet[12:14] == packets.ETH_IP6 and packet[20:21] + packet[54:55] == b"\x3a\x88"


def without_answers(peer, replies):
    """Packets but for answers to questions of resolve(): one that was asked twice is answered twice,
    the second time whenever it likes."""
    due, others = vars(peer.link).setdefault("answers_due", {}), []
    for reply in replies:
        version = next((v for v in due if due[v] and is_answer(reply, v)), None)
        if version is None:
            others.append(reply)
        else:
            due[version] -= 1
    return others


def resolve(peer, version=4, timeout=pipeline.PATIENCE, queue=0, succeeds=False):
    """The responder's hardware address by ARP or NDP.

    Asks again every 200 ms: a forwarder in between may throw away what arrives before it starts.
    Returns the address and the (request, reply) it stands on. A peer that `succeeds` another may get
    the answers to what that one had sent: packets in a ring are received after its end, too.
    """
    request, judge = (packets.arp_request(), packets.judge_arp) if version == 4 else \
        (packets.neighbour_solicitation(), packets.judge_na)
    due = vars(peer.link).setdefault("answers_due", {})
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        peer.send([request], queue)
        peer.questions = getattr(peer, "questions", 0) + 1
        due[version] = due.get(version, 0) + 1
        replies = peer.recv(0.2)
        answers = [reply for reply in replies if is_answer(reply, version)]
        others = without_answers(peer, replies)
        if succeeds:
            others = [reply for reply in others if reply[12:14] != packets.ETH_IP4]
        if answers or others:
            reply = (answers or others)[0]
            mac = judge(reply)
            while more := peer.recv(0.02):
                without_answers(peer, more)
            return mac, [request, reply]
    raise AssertionError(f"no answer to {'ARP' if version == 4 else 'NDP'} within {timeout} s")


def echo(peer, flow, count, window=256, queues=(0,), timeout=pipeline.PATIENCE, sample=None):
    """`count` requests, never more than `window` unanswered; all answered correctly, or raises.

    With several queues requests go round them in bursts. `sample` collects (request, reply) pairs.
    """
    sent = done = turn = 0
    burst = max(1, min(32, window // 2))
    idle_since = None
    while done < count:
        room = min(window - (sent - done), count - sent)
        if room >= min(burst, count - sent) and room > 0:
            queue = queues[turn % len(queues)]
            batch = flow.requests(sent, room)
            sent += peer.send(batch, queue)
            turn += 1
        arrived = peer.recv(timeout if sent > done else 0.001)
        replies = without_answers(peer, arrived)
        if arrived and not replies:
            continue
        if not replies and sent == done:    # not one slot was free: the link is just coming up
            idle_since = idle_since or time.monotonic()
            if time.monotonic() - idle_since < timeout:
                continue
        idle_since = None
        if not replies:
            missing = [n for n in range(sent) if not flow.seen[n]]
            raise AssertionError(f"{len(missing)} of {sent} requests of {flow.size} bytes without "
                                 f"reply after {timeout} s, first {missing[:10]}")
        if sample is not None and len(sample) < 64:
            for reply in replies[:4]:
                index = int.from_bytes(reply[flow.at + 4:flow.at + 8], "big")
                sample += flow.requests(index, 1) + [reply]
        done += flow.judge(replies)
    extra = without_answers(peer, peer.recv(0.02))
    if extra:
        raise AssertionError(f"{len(extra)} more replies than requests: {extra[0][:64].hex()}")
    return done


def second_opinion(pairs, directory, ethernet=True):
    """Lets scapy and tshark judge (request, reply, request, reply, ...)."""
    import verify       # scapy takes its time to load
    replies = pairs[1::2]
    verify.scapy_judges(replies, ethernet)
    verify.tshark_judges(f"{directory}/sample.pcap", pairs, len(replies), ethernet)


def one_echo(peer, mac=None, timeout=pipeline.PATIENCE, ethernet=True):
    """One exchange: the shortest proof that the responder serves."""
    if ethernet and mac is None:
        mac, _ = resolve(peer, timeout=timeout)
    flow = packets.EchoFlow(4, 98 if ethernet else 84, mac if ethernet else None, count=4)
    echo(peer, flow, 4, timeout=timeout)
    return mac


def good_peer(role, path, timeout=30, id=0, **settings):
    """Connects an honest peer, has one echo answered, leaves. Raises when it is not served."""
    with Peer(role, path, id, **settings) as peer:
        peer.connect(timeout)
        one_echo(peer)
