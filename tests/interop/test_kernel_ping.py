# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""The kernel's own ping, ARP and neighbour discovery: TAP <-> testpmd <-> memif <-> pipeline."""

import contextlib

import netns
import packets
import pipeline
import testpmd
from base import InteropTest, opposite

COUNT = 200


class KernelPingTest(InteropTest):
    """Zero loss for both families, both roles and sizes up to the MTU."""

    @classmethod
    def why_not(cls):
        return testpmd.missing() or netns.missing() or super().why_not()

    @contextlib.contextmanager
    def tap(self, far, mtu=1500, pmd=()):
        path = self.socket()
        with contextlib.ExitStack() as stack:
            space = stack.enter_context(netns.Namespace())
            pipe = stack.enter_context(
                pipeline.Pipeline(pipeline.responder(path, opposite(far))))
            if far == "client":
                self.wait_socket(path)
            forwarder = stack.enter_context(testpmd.Testpmd(
                "net_tap0,iface=interop", testpmd.memif(0, far, path), netns=space.name,
                extra=pmd))
            forwarder.wait_started()
            space.wait_device("interop")
            space.ip("link", "set", "interop", "mtu", str(mtu))
            space.ip("addr", "add", packets.PEER_IP4 + "/24", "dev", "interop")
            space.ip("addr", "add", packets.PEER_IP6 + "/64", "dev", "interop", "nodad")
            space.ip("link", "set", "interop", "up")
            yield space
            pipe.assert_alive()

    def ping_all(self, far, mtu=1500, pmd=()):
        sizes = [56, 512, mtu - 48, mtu - 28]
        with self.tap(far, mtu, pmd) as space:
            for target, header in ((packets.TARGET_IP4, 28), (packets.TARGET_IP6, 48)):
                for size in sizes:
                    if size + header > mtu:
                        continue
                    with self.subTest(target=target, size=size):
                        sent, received, rest = space.ping(target, COUNT, size)
                        self.assertEqual((sent, received), (COUNT, COUNT), rest)
                        self.assertNotIn("errors", rest)
                        self.assertNotIn("duplicates", rest)
            for target in (packets.TARGET_IP4, packets.TARGET_IP6):
                entry = space.ip("neigh", "show", target).stdout
                self.assertIn("lladdr", entry, "the kernel has resolved the responder itself")

    def test_pipeline_slave(self):
        self.ping_all("server")

    def test_pipeline_master(self):
        self.ping_all("client")
