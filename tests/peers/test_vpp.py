# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""VPP at the other end: the commands of the docs as they are written, then all that both can do."""

import contextlib
import itertools
import re
import shlex

import doc_commands
import ping_app
import pipeline
import vpp
from base import InteropTest, opposite
from judge import Pinger, assert_arrive, both_sides, launch, started, wait_link
from lan import Pipeline

PEERS = doc_commands.ROOT / "docs/peers.md"
DEPLOY = doc_commands.ROOT / "docs/deploy.md"
SIZES = (64, 512, 1500, 2000, 4000, 8000)
ENOUGH = 30
COUNT = 1000
ROOM = 4096     # of a ring: for COUNT packets of the largest size


def sections(page):
    """The lines of each section's indented blocks, and the vppctl lines within its text."""
    found = {}
    for part in re.split(r"^## ", page.read_text(), flags=re.M)[1:]:
        title, text = part.split("\n", 1)
        lines = [line for line in doc_commands.indented_lines(text)
                 if line.split()[0] in doc_commands.PROGRAMS]
        inline = [" ".join(words.split()) for words in re.findall(r"`(vppctl [^`]+)`", text)]
        # `vppctl ping` by itself is a name and no command.
        found[title] = lines, [words for words in inline if len(words.split()) > 2]
    return found


class VppTest(InteropTest):
    """With a VPP for each test."""

    @classmethod
    def why_not(cls):
        return vpp.missing() or ping_app.missing("memifping") or super().why_not()

    def setUp(self):
        self.stack = self.enterContext(contextlib.ExitStack())
        self.vpp = self.stack.enter_context(
            vpp.Vpp(f"{self.directory}/{self._testMethodName.removeprefix('test_')}"))

    def need(self, *plugins):
        """Skips a test where VPP was built without one of its plugins."""
        if reason := vpp.no(vpp.lacking(*plugins)):
            self.skipTest(reason)

    def here(self, command):
        """The command with VPP's directory in place of /run/vpp and /tmp."""
        return re.sub(r"/run/vpp/|/tmp/", f"{self.vpp.directory}/", command)

    def launch(self, line):
        return self.stack.enter_context(launch(line.removeprefix("gst-launch-1.0")))


class DocsOfVppTest(VppTest):
    """Each section of docs/peers.md, media.md and deploy.md with vppctl lines, in its order."""

    def run_line(self, line):
        """One line of a page; the pipeline if it starts one."""
        line = self.here(line)
        if line.startswith("gst-launch-1.0"):
            return self.launch(line)
        if line.startswith("ip "):
            self.vpp.space.ip(*shlex.split(line)[1:])
            return None
        command = line.removeprefix("vppctl ")
        if command.startswith("ping "):
            # "4 of 5 is all right": the first may be lost to ARP.
            sent, received, _ = self.vpp.ping(command.removeprefix("ping "))
            self.assertGreaterEqual(received, sent - 1, self.vpp.account())
        else:
            output = self.vpp.ask(command)
            if command.startswith("show "):
                self.assertNotEqual(output.strip(), "", line)
        return None

    def play(self, title, interface, target):
        """All lines; both sides see the link as soon as both are there; the answers come."""
        lines, _ = sections(PEERS)[title]
        pipe = linked = None
        for line in [*lines, None]:
            if not linked and (line is None or re.match("vppctl (ping|show)", line)):
                with both_sides(self.vpp, pipe):
                    wait_link(pipe)
                    self.vpp.wait_connected(interface)
                linked = True
            if line:
                pipe = self.run_line(line) or pipe
        with both_sides(self.vpp, pipe):
            self.vpp.assert_answers(target, 4, least=3)
            for size in SIZES:
                self.vpp.assert_answers(f"{target} size {size}")
            pipe.assert_alive()

    def test_vpp_as_master(self):
        self.play("VPP as master, the pipeline as slave", "memif0/0", "192.168.1.1")

    def test_other_sockets(self):
        """The commands within the text: another socket; an id has one file name only."""
        _, inline = sections(PEERS)["VPP as master, the pipeline as slave"]
        self.assertTrue(inline)
        for line in inline:
            self.run_line(line)
        again = re.sub(r"filename \S+", f"filename {self.vpp.directory}/third.sock", inline[0])
        command = self.here(again).removeprefix("vppctl ")
        self.assertTrue(vpp.refused(command, self.vpp.ask(command, check=False)),
                        "VPP gave one socket id a second file name")
        self.vpp.ask(re.sub(r" id \d+", " id 2", command))

    def test_abstract_socket(self):
        name = f"peers{self.vpp.process.pid}"
        self.vpp.ask(f"create memif socket id 1 filename abstract:{name}")
        self.vpp.ask("create interface memif id 0 socket-id 1 master")
        self.vpp.ask("set interface state memif1/0 up")
        self.vpp.ask("set interface ip address memif1/0 192.168.1.2/24")
        # An abstract name belongs to a network namespace, hence the pipeline joins VPP's.
        line = pipeline.responder(f"@{name}")
        pipe = self.stack.enter_context(Pipeline(line, self.vpp.space))
        with both_sides(self.vpp, pipe):
            wait_link(pipe)
            self.vpp.assert_answers("192.168.1.1", 4, least=3)

    def test_vpp_as_slave(self):
        self.play("VPP as slave, the pipeline as master", "memif1/0", "192.168.1.1")

    def test_ip_mode(self):
        self.play("VPP in IP mode", "memif0/1", "192.168.2.1")

    def test_kernel_receiver(self):
        """Of docs/media.md: RTP through VPP as a router to a socket of the kernel."""
        self.need("af_packet")
        page = sections(doc_commands.MEDIA)
        lines, inline = page["A kernel receiver, through VPP"]
        receivers, _ = page["A kernel receiver, through DPDK"]
        receiver = next(line for line in receivers if "udpsrc" in line)
        receiver = re.sub(r"autovideosink", "fakesink silent=false", receiver)
        for line in lines:
            if not line.startswith("gst-launch-1.0"):
                self.run_line(line)
        receiving = self.stack.enter_context(Pipeline(
            receiver.removeprefix("gst-launch-1.0"), self.vpp.space, ("-v",)))
        receiving.wait_started()
        sending = self.launch(self.here(next(
            line for line in lines if line.startswith("gst-launch-1.0"))))
        with both_sides(self.vpp, receiving, sending):
            pipeline.wait_for(
                lambda: receiving.assert_alive() or sending.assert_alive() or
                receiving.output().count("chain   ***") >= ENOUGH, 40, f"{ENOUGH} pictures")
            for line in inline:
                self.run_line(line)

    def test_two_hosts(self):
        """Of docs/deploy.md: VXLAN between two VPPs, whose hosts are joined by a cable."""
        self.need("af_packet", "vxlan")
        lines, _ = sections(DEPLOY)["Peers on two hosts"]
        hosts = ("10.0.0.1", self.vpp), ("10.0.0.2", self.stack.enter_context(
            vpp.Vpp(f"{self.vpp.directory}-2")))
        self.vpp.space.ip("link", "add", "cable", "type", "veth", "peer", "name", "cable",
                          "netns", hosts[1][1].space.name)
        for address, host in hosts:
            host.space.ip("link", "set", "cable", "up")
            for command in ("create host-interface name cable",
                            "set interface state host-cable up",
                            f"set interface ip address host-cable {address}/24"):
                host.ask(command)
        for line in lines:
            command = line.removeprefix("vppctl ")
            hosts[0][1].ask(command)
            hosts[1][1].ask(re.sub(r"src (\S+) dst (\S+)", r"src \2 dst \1", command))
        near, far = (f"{host.directory}/memif.sock" for _, host in hosts)
        pipe = self.launch(pipeline.responder(far, addresses="192.168.1.1"))
        with both_sides(hosts[1][1], pipe):
            wait_link(pipe)
        ping = Pinger(f"-s {near} -c 5 --interval=0.1 --wait=20 192.168.1.1")
        with both_sides(self.vpp, hosts[1][1], pipe, ping):
            ping.wait(60)
            self.assertIn("5 received, 0 wrong, 0% packet loss", ping.output())
        ping.log.close()

    def test_all_are_run(self):
        """No section with vppctl lines lacks its test above."""
        with open(__file__, encoding="utf-8") as source:
            text = source.read()
        for page in (PEERS, doc_commands.MEDIA, DEPLOY):
            for title, (lines, inline) in sections(page).items():
                if inline or any(line.startswith("vppctl") for line in lines):
                    self.assertIn(f'"{title}"', text)


class MatrixTest(VppTest):
    """What both can do, in both roles; one interface after the other in one VPP."""

    def setUp(self):
        super().setUp()
        self.numbers = itertools.count(1)

    def bare_interface(self, role, options="", number=None):
        """An interface of VPP, up: name, number, socket."""
        number = number or next(self.numbers)
        name, path = f"memif{number}/0", f"{self.vpp.directory}/{number}.sock"
        for command in (f"create memif socket id {number} filename {path}",
                        f"create interface memif id 0 socket-id {number} {role} {options}",
                        f"set interface state {name} up"):
            self.vpp.ask(command.strip())
        return name, number, path

    def interface(self, role, options="", number=None):
        """The same, with addresses of its own."""
        name, number, path = self.bare_interface(role, options, number)
        for address in (f"192.168.{10 + number}.2/24", f"fd00:{10 + number}::2/64"):
            self.vpp.ask(f"set interface ip address {name} {address}")
        return name, number, path

    def answering(self, role, number, path, **settings):
        """The line of our responder for it; `role` is VPP's."""
        return pipeline.responder(path, opposite(role),
                                  addresses=f"192.168.{10 + number}.1,fd00:{10 + number}::1",
                                  **settings)

    @contextlib.contextmanager
    def link(self, role, options="", settings=None, src=None, rx_mode=None, up=True):
        """A link up on both ends: VPP's interface, our pipeline, the number."""
        name, number, path = self.interface(role, options)
        line = self.answering(role, number, path, src=src, **(settings or {}))
        with launch(line) as pipe, both_sides(self.vpp, pipe):
            if up:
                wait_link(pipe)
                self.vpp.wait_connected(name)
                if rx_mode:
                    self.vpp.ask(f"set interface rx-mode {name} {rx_mode}")
            yield name, pipe, number
            pipe.assert_alive()
        self.vpp.ask(f"delete interface memif {name}")

    def pings(self, number, sizes=SIZES, versions=(4, 6)):
        """All sizes and both families; the first request of each may be lost to the resolution."""
        for version in versions:
            target = (f"192.168.{10 + number}.1" if version == 4 else
                      f"fd00:{10 + number}::1")
            self.vpp.assert_answers(target, 2, least=1)
            for size in sizes:
                self.vpp.assert_answers(f"{target} size {size}")

    def serve(self, role, options="", sizes=(64, 1500), **more):
        with self.subTest(vpp=f"{role} {options}".strip(), **more):
            with self.link(role, options, **more) as (_, _, number):
                self.pings(number, sizes)

    def test_sizes(self):
        for role, options in (("master", ""), ("slave", ""), ("slave", "no-zero-copy")):
            self.serve(role, options, sizes=SIZES)

    def test_cross_connect(self):
        """Packets go in by one interface and out by another: all of them arrive, and whole."""
        for role, options in (("master", ""), ("slave", f"ring-size {ROOM}"),
                              ("slave", f"ring-size {ROOM} no-zero-copy")):
            for size in (64, 1500, 8000):
                with self.subTest(vpp=f"{role} {options}".strip(), size=size):
                    self.cross_connect(role, options, size)

    def cross_connect(self, role, options, size):
        """VPP drops what finds its ring full, hence one with room for all packets."""
        into, _, sending = self.bare_interface(role, options)
        out, _, receiving = self.bare_interface(role, options)
        for one, other in ((into, out), (out, into)):
            self.vpp.ask(f"set interface l2 xconnect {one} {other}")
        common = pipeline.properties(role=opposite(role), ring_size=ROOM)
        check = (f"memifsrc socket-path={receiving} {common} ! "
                 f"packetcheck count={COUNT} timeout=20000")
        with started(check) as checking, both_sides(self.vpp, checking):
            wait_link(checking)
            self.vpp.wait_connected(out)
            assert_arrive(self, f"packetgen size={size} count={COUNT} rate=20kpps ! memifsink "
                                f"socket-path={sending} {common} when-down=block", self.vpp)
            self.assertEqual(checking.wait(30), 0, "packets did not come through whole")
        for name in (into, out):
            self.vpp.ask(f"delete interface memif {name}")

    def test_queues(self):
        for role, queues in itertools.product(("master", "slave"), (2, 4)):
            self.serve(role, f"rx-queues {queues} tx-queues {queues}",
                       settings=dict(rx_queues=queues, tx_queues=queues))

    def test_ring_and_buffer_sizes(self):
        self.serve("slave", "ring-size 256 buffer-size 4096", sizes=SIZES)
        self.serve("master", settings=dict(ring_size=16384, buffer_size=9216), sizes=SIZES)

    def test_rx_modes(self):
        for role, ours, theirs in itertools.product(
                ("master", "slave"), ("interrupt", "adaptive", "polling"),
                ("interrupt", "adaptive", "polling")):
            self.serve(role, src=dict(rx_mode=ours), rx_mode=theirs)

    def test_secret(self):
        for role in ("master", "slave"):
            self.serve(role, "secret swordfish", settings=dict(secret="swordfish"))

    def test_wrong_secret(self):
        """No link, and our side says why."""
        for role in ("master", "slave"):
            with self.subTest(vpp=role):
                with self.link(role, "secret salmon", dict(secret="swordfish"),
                               up=False) as (name, pipe, _):
                    pipeline.wait_for(lambda: "secret" in pipe.output().lower(), 20,
                                      "a word about the secret on our side")
                    self.assertFalse(self.vpp.connected(name))

    def test_fewer_queues(self):
        """VPP as master with one queue, offered four: a link with fewer."""
        self.serve("master", settings=dict(rx_queues=4, tx_queues=4))

    def test_over_the_mtu(self):
        """Packets over VPP's MTU arrive as fragments, which icmpresponder drops and counts."""
        with self.link("master") as (name, _, number):
            self.pings(number, (1400,), (4,))
            self.vpp.ask(f"set interface mtu packet 1500 {name}")
            received = self.vpp.answered(f"192.168.{10 + number}.1 size 3000", 3)
            self.assertEqual(received, 0, "fragments were answered")
            self.pings(number, (1400,), (4,))

    def test_restart_of_ours(self):
        """Stopped and killed; VPP's interface stays, and takes the next pipeline."""
        for role in ("master", "slave"):
            name, number, path = self.interface(role)
            for end in ("stop", "kill", "stop"):
                with self.subTest(vpp=role, ours=end):
                    line = self.answering(role, number, path)
                    with started(line) as pipe, both_sides(self.vpp, pipe):
                        wait_link(pipe)
                        self.vpp.wait_connected(name)
                        self.pings(number, (64,), (4,))
                        getattr(pipe, end)()
                        pipeline.wait_for(lambda: not self.vpp.connected(name), 20,
                                          "the end of the link, as VPP sees it")

    def test_restart_of_vpp(self):
        """Killed; our pipeline stays, and takes the next VPP."""
        for role in ("master", "slave"):
            name, number, path = self.interface(role)
            with launch(self.answering(role, number, path)) as pipe:
                for count in (1, 2):
                    with self.subTest(vpp=role, start=count), both_sides(self.vpp, pipe):
                        wait_link(pipe, count=count)
                        self.vpp.wait_connected(name)
                        self.pings(number, (64,), (4,))
                    if count == 1:
                        self.vpp.stop()
                        self.vpp.start()
                        self.interface(role, number=number)
