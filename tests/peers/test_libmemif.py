# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Programs of libmemif, at the other end of a link in both roles."""

import contextlib
import re

import libmemif
import ping_app
import pipeline
from base import InteropTest, opposite
from judge import (SIZES, Pinger, assert_arrive, both_sides, launch, linked, started, through,
                   wait_link)
from pipeline import properties

ROLES = ("slave", "master")
COUNT = 500


class ExamplesTest(InteropTest):
    """icmp_responder and test_app as they are built: one queue, no secret."""

    @classmethod
    def why_not(cls):
        return (libmemif.missing(*libmemif.PROGRAMS) or ping_app.missing("memifping") or
                super().why_not())

    @contextlib.contextmanager
    def peer(self, name, role, path, *options):
        """An example in the role opposite to ours; libmemif never removes a socket file."""
        with libmemif.example(name, role, path, *options) as program:
            if role == "master":
                self.wait_socket(path)
            yield program

    def test_ping(self):
        """Answers come back, each with the wrong checksum that docs/peers.md speaks of."""
        for role in ROLES:
            with self.subTest(libmemif=role):
                path = self.socket(role)
                with self.peer("icmp_responder", role, path) as peer:
                    ping = Pinger(f"-s {path} -r {opposite(role)} -c 3 --interval=0 "
                                  "--wait=10 192.168.1.1")
                    with both_sides(peer, ping):
                        ping.wait(20)
                        self.assertIn("3 received, 3 wrong, 0% packet loss", ping.output())
                        self.assertEqual(len(re.findall(r" WRONG$", ping.output(), re.M)), 3)
                    ping.log.close()

    def test_forwarder(self):
        """Packets go in by one interface of test_app, a master, and out by the other.

        It crashes where packets come before its other interface is up. As slave it needs a master
        of two interfaces, hence one process, where that cannot be told from outside.

        When the outgoing ring is full it sends the start of a burst again in place of the rest,
        hence a ring with room for all.
        """
        for size in SIZES:
            with self.subTest(size=size):
                self.forward(size)

    def forward(self, size):
        path = self.socket(str(size))
        ring = 1 << (COUNT * -(-size // 2048)).bit_length()
        check = (f"memifsrc socket-path={path} id=1 ring-size={ring} ! "
                 f"packetcheck count={COUNT} timeout=20000")
        send = (f"packetgen size={size} count={COUNT} rate=20kpps ! "
                f"memifsink socket-path={path} when-down=block")
        with self.peer("test_app", "master", path) as peer, contextlib.ExitStack() as stack:
            checking = stack.enter_context(started(check))
            with both_sides(peer, checking):
                wait_link(checking)
            sending = stack.enter_context(started(send))
            with both_sides(peer, sending, checking):
                self.assertEqual(checking.wait(30), 0, "packets did not come whole")
                self.assertEqual(sending.wait(10), 0)

    def test_fewer_queues(self):
        """A master with fewer queues closes without a word; after two refusals we offer fewer.

        The example ends with its connection, hence is started again each time.
        """
        path = self.socket()
        line = pipeline.responder(path, "slave", rx_queues=4, tx_queues=4)
        with launch(line) as pipe:
            for _ in range(10):
                pipeline.Path(path).unlink(missing_ok=True)
                with self.peer("icmp_responder", "master", path) as peer, both_sides(peer, pipe):
                    pipeline.wait_for(lambda: not peer.alive() or linked(pipe), 20,
                                      "a link or the end of a refused connection")
                    if linked(pipe):
                        self.assertIn("rx-queues=(uint)1, tx-queues=(uint)1", pipe.output())
                        return
            with both_sides(pipe):
                self.fail("no link with fewer queues after ten connections")

    def test_restart_of_libmemif(self):
        """Our side keeps its pipeline and takes the next one."""
        for role in ROLES:
            with self.subTest(libmemif=role):
                path = self.socket(role)
                with launch(pipeline.responder(path, opposite(role))) as pipe:
                    for count in (1, 2, 3):
                        # What a libmemif that was killed leaves, nobody removes but the user.
                        if role == "master":
                            pipeline.Path(path).unlink(missing_ok=True)
                        with self.peer("icmp_responder", role, path) as peer:
                            with both_sides(peer, pipe):
                                peer.wait_up()
                                wait_link(pipe, count=count)
                        pipeline.wait_for(
                            lambda: pipe.output().count("link-up=(boolean)false") >= 2 * count,
                            20, f"our end of link {count}")

    def test_restart_of_ours(self):
        """libmemif's example ends with its link; killed or stopped, ours never hangs it."""
        for role in ROLES:
            for end in ("kill", "stop"):
                with self.subTest(libmemif=role, ours=end):
                    path = self.socket(role + end)
                    with self.peer("icmp_responder", role, path) as peer:
                        pipe = launch(pipeline.responder(path, opposite(role)))
                        with both_sides(peer, pipe):
                            wait_link(pipe)
                            peer.wait_up()
                            getattr(pipe, end)()
                            peer.wait_end()
                        pipe.log.close()


class EchoTest(InteropTest):
    """What the examples have no option for, by the library itself."""

    @classmethod
    def why_not(cls):
        return libmemif.missing("libmemif.so") or super().why_not()

    def setUp(self):
        self.served = 0

    def serve(self, role, size=1500, theirs=None, src=None, **ours):
        self.served += 1
        path = self.socket(f"{role}{self.served}")
        common = dict(socket_path=path, role=opposite(role), **ours)
        with libmemif.echo(role, path, **(theirs or {})) as peer:
            assert_arrive(self, through(common, {**common, **(src or {})}, size, COUNT), peer)

    def test_secret(self):
        for role in ROLES:
            with self.subTest(libmemif=role):
                self.serve(role, theirs=dict(secret="swordfish"), secret="swordfish")

    def test_secret_of_24(self):
        """Of 24 bytes libmemif keeps 23, as docs/peers.md says: no link, and a reason is given."""
        secret = "a" * 24
        for role in ROLES:
            with self.subTest(libmemif=role):
                path = self.socket(role)
                with libmemif.echo(role, path, secret=secret) as peer:
                    line = pipeline.responder(path, opposite(role), secret=secret)
                    with launch(line) as pipe, both_sides(peer, pipe):
                        pipeline.wait_for(lambda: "secret" in pipe.output().lower(), 20,
                                          "a word about the secret on our side")
                        self.assertNotIn("link-up=(boolean)true", pipe.output())

    def test_wrong_secret(self):
        for role in ROLES:
            with self.subTest(libmemif=role):
                path = self.socket(role)
                with libmemif.echo(role, path, secret="salmon") as peer:
                    line = pipeline.responder(path, opposite(role), secret="swordfish")
                    with launch(line) as pipe, both_sides(peer, pipe):
                        pipeline.wait_for(lambda: "secret" in pipe.output().lower(), 20,
                                          "a word about the secret on our side")

    def test_queues(self):
        """Each queue of four is echoed: packetgen's flows go over all, and come back by all."""
        for role in ROLES:
            with self.subTest(libmemif=role):
                path = self.socket(role)
                common = dict(socket_path=path, role=opposite(role), rx_queues=4, tx_queues=4)
                with libmemif.echo(role, path, queues=4) as peer:
                    join = " ".join(f"memifsrc {properties(**common, queue=i)} ! join.sink_{i}"
                                    for i in range(4))
                    count = 4 * COUNT
                    assert_arrive(self, (
                        f"packetgen count={count} flows=64 rate=20kpps ! memifsink "
                        f"{properties(**common, queue=-1, when_down='block')} {join} "
                        f"funnel name=join ! packetcheck count={count} timeout=30000"), peer)

    def test_ip_mode(self):
        for role in ROLES:
            with self.subTest(libmemif=role):
                self.serve(role, theirs=dict(mode="ip"), mode="ip")

    def test_sizes(self):
        modes = [(size, "interrupt") for size in SIZES] + [(1500, "adaptive"), (1500, "polling")]
        for role in ROLES:
            for size, mode in modes:
                with self.subTest(libmemif=role, size=size, rx_mode=mode):
                    self.serve(role, size, src=dict(rx_mode=mode))

    def test_buffer_sizes(self):
        """8000 bytes in one buffer and in four."""
        for role in ROLES:
            for buffers in (2048, 9216):
                with self.subTest(libmemif=role, buffers=buffers):
                    self.serve(role, 8000, dict(size=buffers), buffer_size=buffers)
