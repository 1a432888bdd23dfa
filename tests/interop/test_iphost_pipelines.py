# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Two pipelines with an iphost each, on the two ends of a link: files arrive whole, in datagrams."""

import os
import unittest

import pipeline
from base import InteropTest, opposite
from pipeline import Pipeline, properties

ROLES = ("slave", "master")
SIZE = 2_000_000
LIMIT = 120
DRAIN = 60 * 10**9    # nanoseconds without progress: the other end may be late
ADDRESSES = {4: ("10.0.0.1/24", "10.0.0.2/24"), 6: ("2001:db8::1/64", "2001:db8::2/64")}


@unittest.skipIf(pipeline.stand_in(), "the stand-in is no IP host")
class IpHostPipelinesTest(InteropTest):

    def path(self, name):
        return f"{self.directory}/{name}"

    def host(self, address, role, path, pads="", **settings):
        """An iphost on the link, named h."""
        common = dict(socket_path=path, role=role, **settings)
        source = properties(eos_on_disconnect="true", **common)
        return (f"memifsrc {source} ! iphost name=h address={address} {pads} ! "
                f"memifsink {properties(when_down='block', drain_timeout=DRAIN, **common)}")

    def pass_on(self, role, data, version=4, blocksize=1000, host="", **settings):
        """What arrives of `data`, sent in this role."""
        path, source, out = self.socket(role), self.path("in"), self.path("out")
        with open(source, "wb") as file:
            file.write(data)
        ours, theirs = ADDRESSES[version]
        receiver = Pipeline(
            self.host(theirs, opposite(role), path, "udp_src_0::port=5004", **settings) +
            f" h.udp_src_0 ! filesink location={out} async=false sync=false")
        sender = Pipeline(
            f"filesrc location={source} blocksize={blocksize} ! h.udp_sink_0 " +
            self.host(ours, role, path, f"{host} udp_sink_0::host={theirs.split('/')[0]}",
                      **settings))
        try:
            for each in (sender, receiver):
                self.assertEqual(each.wait(LIMIT), 0, each.output())
                self.assertNotRegex(each.output(), "ERROR|WARNING")
            with open(out, "rb") as file:
                return file.read()
        finally:
            for each in (sender, receiver):
                each.kill()

    def check(self, role, **settings):
        data = os.urandom(SIZE)
        arrived = self.pass_on(role, data, **settings)
        self.assertTrue(arrived == data, f"{len(arrived)} of {len(data)} bytes")

    def test_files_arrive_whole(self):
        for role in ROLES:
            for version in ADDRESSES:
                with self.subTest(role=role, version=version):
                    self.check(role, version=version)

    def test_fragments(self):
        for role in ROLES:
            with self.subTest(role=role):
                self.check(role, blocksize=20_000, host="fragment=true")

    def test_without_ethernet(self):
        for role in ROLES:
            with self.subTest(role=role):
                self.check(role, mode="ip")


if __name__ == "__main__":
    unittest.main()
