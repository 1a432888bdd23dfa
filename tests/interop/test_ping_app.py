# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""The example application ping: its command line, what it tells while it runs, how it ends."""

import os
import pty
import re
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import packets
import ping_app
import pipeline
import traffic
from base import InteropTest
from memif_peer import Peer
from ping_app import Ping

ALLOWED_NUMBER = "a number from 0 to 4294967295"
FIRST_CPU, LAST_CPU = min(os.sched_getaffinity(0)), max(os.sched_getaffinity(0))
# Each wrong command line: its words, and what the message has to hold.
WRONG = (
    (("--vdev",), ("--vdev has no value",)),
    (("--vdev=",), ("--vdev has no value",)),
    (("--vdev=,i=1",), ("''", "1 to 31 letters")),
    (("--vdev=i=1",), ("'i=1'", "1 to 31 letters")),
    (("--vdev=" + "n" * 32,), ("1 to 31 letters",)),
    (("--vdev=a b",), ("'a b'", "1 to 31 letters")),
    (("--vdev=a,colour=red",), ("unknown key 'colour'", "i, ip, r, s, domain, q0, qn, rs, bs, aff")),
    (("--vdev=a,",), ("unknown key ''", "domain")),
    (("--vdev=a,i",), ("i has no value", ALLOWED_NUMBER)),
    (("--vdev=a,i=",), ("i= is wrong", ALLOWED_NUMBER)),
    (("--vdev=a,i=x",), ("i=x is wrong", ALLOWED_NUMBER)),
    (("--vdev=a,i=-1",), ("i=-1 is wrong", ALLOWED_NUMBER)),
    (("--vdev=a,i=4294967296",), ("i=4294967296 is wrong", ALLOWED_NUMBER)),
    (("--vdev=a,i=1,i=2",), ("i is given twice",)),
    (("--vdev=a,ip=192.168.1",), ("ip=192.168.1 is wrong", "fd00::1")),
    (("--vdev=a,ip=192.168.1.300",), ("ip=192.168.1.300 is wrong", "192.168.1.1")),
    (("--vdev=a,ip=224.0.0.1",), ("ip=224.0.0.1 is wrong", "of a host")),
    (("--vdev=a,ip={10.0.0.1,10.0.0.1}",), ("ip={10.0.0.1,10.0.0.1} is wrong", "each once")),
    (("--vdev=a,r=boss",), ("r=boss is wrong", "master", "slave")),
    (("--vdev=a,r=2",), ("r=2 is wrong", "master", "slave")),
    (("--vdev=a,s=",), ("s= is wrong", "1 to 107 bytes")),
    (("--vdev=a,s=/" + "x" * 110,), ("is wrong", "1 to 107 bytes")),
    (("--vdev=a,r=master,s=/nowhere/at/all",), ("/nowhere/at", "Create it")),
    (("--vdev=a,s=/etc/passwd",), ("/etc/passwd", "not a socket")),
    (("--vdev=a,domain=x",), ("domain=x is wrong", ALLOWED_NUMBER)),
    (("--vdev=a,q0=adaptive",), ("q0=adaptive is wrong", "poll, interrupt")),
    (("--vdev=a,qn=0",), ("qn=0 is wrong", "1 to 255")),
    (("--vdev=a,qn=256",), ("qn=256 is wrong", "1 to 255")),
    (("--vdev=a,rs=1000",), ("rs=1000 is wrong", "power of two from 2 to 16384")),
    (("--vdev=a,rs=1",), ("rs=1 is wrong", "power of two")),
    (("--vdev=a,rs=32768",), ("rs=32768 is wrong", "16384")),
    (("--vdev=a,bs=0",), ("bs=0 is wrong", "from 1")),
    (("--vdev=a,bs=4000000000,rs=16384,s=@x",), ("buffer-size=4000000000", "smaller")),
    (("--vdev=a,aff={0",), ("braces do not match",)),
    (("--vdev=a,aff={zero}",), ("aff={zero} is wrong", "CPUs out of")),
    (("--vdev=a,aff=9999",), ("aff=9999 is wrong", "CPUs out of")),
    (("--vdev=a,s=@x", "--vdev=a,s=@y"), ("--vdev=a is given twice",)),
    (("--vdev=a,i=7,s=@x", "--vdev=b,i=7,s=@x"), ("--vdev=b", "i=7 is that of a", "different ids")),
    (("--aff",), ("--aff has no value",)),
    (("--aff={}", "--vdev=a,s=@x"), ("--aff={} is wrong", "CPUs out of")),
    (("--aff=1-0", "--vdev=a,s=@x"), ("--aff=1-0 is wrong", "CPUs out of")),
    (("--stats=0", "--vdev=a,s=@x"), ("--stats=0 is wrong", "0.1 to 86400")),
    (("--stats=fast", "--vdev=a,s=@x"), ("--stats=fast is wrong", "0.1 to 86400")),
    (("--stats=nan", "--vdev=a,s=@x"), ("--stats=nan is wrong", "0.1 to 86400")),
    (("--dot=/nowhere/graph.dot", "--vdev=a,s=@x"), ("--dot=/nowhere/graph.dot", "directory")),
    (("--dot", "--vdev=a,s=@x"), ("--dot has no value",)),
    (("--verbose",), ("unknown option '--verbose'", "--vdev", "--stats")),
    (("memif0",), ("unknown option 'memif0'", "--vdev")),
    (("-x",), ("unknown option '-x'", "-r")),
    (("-",), ("unknown option '-'",)),
    (("-r", "boss"), ("-r boss is wrong", "master", "slave")),
    (("-i",), ("-i has no value", ALLOWED_NUMBER)),
    (("-i", "one"), ("-i one is wrong", ALLOWED_NUMBER)),
    (("-a", "1.2.3"), ("-a 1.2.3 is wrong", "192.168.1.1")),
    (("-h", "12:34"), ("-h 12:34 is wrong", "hardware address")),
    (("-i", "1", "-i", "2"), ("-i is given twice",)),
    (("-i", "1", "--vdev=a,s=@x"), ("-i describes the only interface", "--vdev")),
    (("--stats=1",), ("no interface is given", "--vdev")),
)


class PingAppTest(InteropTest):
    """What one sees of ping."""

    @classmethod
    def why_not(cls):
        return ping_app.missing()

    # Command line

    def test_usage(self):
        for arguments in ((), ("-h",), ("-?",), ("--help",)):
            with self.subTest(arguments):
                code, text, errors = ping_app.run(*arguments)
                self.assertEqual((code, errors), (0, ""))
                self.assertIn("ping", text.splitlines()[0])
                self.assertRegex(text, r"(?m)^gst-memif version: \d+\.\d+\.\d+")
                self.assertRegex(text, r"(?m)^memif version: 512$")
                for option in ("--aff={cpu0,cpu1,..}", "--vdev=<name>,", "[i=id]", "[ip=address]",
                               "[r=master|slave]", "[s=socket]", "[domain=id]",
                               "[q0=poll|interrupt]", "[qn=count]", "[rs=ring size]",
                               "[bs=buffer size]", "[aff={cpu,..}]", "--stats[=SECONDS]",
                               "--dot=FILE", "-r ", "-s ", "-i ", "-a ", "-h", "-?"):
                    self.assertIn(option, text)

    def test_version(self):
        code, text, _ = ping_app.run("-v")
        self.assertEqual(code, 0)
        self.assertIn("memif version: 512", text)
        self.assertNotIn("--vdev", text)

    def test_wrong(self):
        self.assertGreaterEqual(len(WRONG), 25)
        for arguments, words in WRONG:
            with self.subTest(" ".join(arguments)[:80]):
                code, text, errors = ping_app.run(*arguments)
                self.assertEqual(code, 2, errors)
                self.assertEqual(text, "", "nothing has started")
                for word in words:
                    self.assertIn(word, errors)

    def test_socket_in_use(self):
        """What only shows when the interface starts: exit 1, and the reason."""
        path = self.socket()
        with Ping(f"--vdev=first,r=master,s={path}") as first:
            first.wait_running()
            code, _, errors = ping_app.run("--vdev=second,r=master,s=" + path)
            self.assertEqual(code, 1)
            self.assertIn("another program listens there", errors)

    def test_without_environment(self):
        """Started from the build tree by itself, it finds the plugins of the build."""
        path = self.socket()
        env = dict(pipeline.environment(), GST_REGISTRY=f"{self.directory}/empty-registry")
        env.pop("GST_PLUGIN_PATH", None)
        process = subprocess.Popen([ping_app.example("ping"), f"--vdev=a,r=master,s={path}"],
                                   env=env, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, preexec_fn=pipeline.die_with_parent)
        try:
            self.wait_socket(path)
            traffic.good_peer("slave", path)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(pipeline.PATIENCE), 0)
        finally:
            process.kill()
            process.wait()

    def test_short_options(self):
        """The command line of responders with one interface."""
        path = self.socket()
        mac = "02:00:00:00:12:34"
        for words in (f"-r master -s {path} -i 3 -a {packets.TARGET_IP4} -h {mac}",
                      f"-r1 -s{path} -i3 -a{packets.TARGET_IP4} -h {mac}"):
            with self.subTest(words), Ping(words) as app:
                self.wait_socket(path)
                with Peer("slave", path, 3) as peer:
                    peer.connect()
                    found = traffic.one_echo(peer)
                    self.assertEqual(found.hex(":"), mac)
                    app.wait_line(r"^memif0: link up")

    # While it runs

    def test_two_interfaces(self):
        """A master and a slave: link lines, tables, drops by reason, summary, graph."""
        path, other, dot = self.socket(), self.socket("other"), f"{self.directory}/graph.dot"
        with Peer("slave", path, if_name="left") as left, Peer("master", other, 5) as right:
            right.listen()
            app = Ping(f"--stats=0.3 --dot={dot} --vdev=one,r=master,s={path} "
                       f"--vdev=two,i=5,s={other},ip={{{packets.TARGET_IP4},{packets.TARGET_IP6}}}")
            try:
                left.connect()
                right.connect()
                up = app.wait_line(r"^(one|two): link up", count=2)
                self.assertIn("one: link up, peer 'left'", up)
                self.assertIn("two: link up, peer 'interop0'", up)
                mac, _ = traffic.resolve(left)
                traffic.echo(left, packets.EchoFlow(4, 98, mac, 1000), 1000)
                mac, _ = traffic.resolve(right, version=6)
                traffic.echo(right, packets.EchoFlow(6, 98, mac, 10), 10)
                left.send([packets.arp_request("192.168.1.99")] * 3)
                app.wait_line(r"not-for-us 3")
                app.wait_line(r"^after \d", count=3)
                left.close()
                down = app.wait_line(r"^one: link down")
                self.assertRegex(down[0], r"^one: link down, peer 'left'")
                self.assert_graph(dot)
                app.stop()
                self.assert_summary(app.output())
            finally:
                app.kill()

    def assert_summary(self, output):
        rows = ping_app.summary(output)
        self.assertEqual(set(rows), {("one", 0), ("two", 0)})
        one, two = rows["one", 0], rows["two", 0]
        self.assertEqual((one["link"], two["link"]), ("down", "up"))
        self.assertEqual(one["rx"], one["tx"] + 3)
        self.assertGreaterEqual(one["tx"], 1001)
        self.assertEqual(one["drops"], {"not-for-us": 3})
        self.assertGreater(one["rx_rate"], 0)
        self.assertGreaterEqual(two["rx"], 11)
        self.assertEqual(two["rx"], two["tx"])
        total = re.search(r"^(\d+) packets received, (\d+) sent, 3 dropped in ", output, re.M)
        self.assertEqual(int(total[1]), one["rx"] + two["rx"])
        self.assertEqual((one["peer"], two["peer"]), (None, "interop0"))
        self.assertEqual((one["rx_ring"], two["rx_ring"]), ("0", "1024"))
        # Some table in between has seen the rates of the traffic.
        seen = [row for row in map(ping_app.ROW.match, output.splitlines()) if row]
        self.assertGreater(max(int(row[8]) for row in seen), 100)
        self.assertGreater(max(float(row[9]) for row in seen), 0.1)

    def assert_graph(self, path):
        text = Path(path).read_text()
        for name in ("digraph", "GstMemifSrc", "rx0-one", "icmp0-two", "tx0-two"):
            self.assertIn(name.replace("-", "_"), text.replace("-", "_"))
        self.assertEqual(text.count("{"), text.count("}"))
        if shutil.which("dot"):
            subprocess.run(["dot", "-Tcanon", path], check=True, stdout=subprocess.DEVNULL)

    def test_signals(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name):
                app = Ping(f"--vdev=a,r=master,s={self.socket()}")
                try:
                    app.wait_running()
                    app.process.send_signal(number)
                    self.assertEqual(app.wait(10), 0)
                    self.assertIn("0 packets received, 0 sent, 0 dropped", app.output())
                    app.assert_silent()
                finally:
                    app.kill()

    def test_stats_without_an_interval(self):
        with Ping(f"--stats --vdev=a,r=master,s={self.socket()}") as app:
            app.wait_line(r"^after \d\.\d s:$")

    def test_terminal(self):
        """On a terminal the table stays in its place, and lines go above it."""
        path = self.socket()
        terminal, end = pty.openpty()
        process = subprocess.Popen(
            [ping_app.example("ping"), "--stats=0.2", f"--vdev=a,r=master,s={path}"],
            env=pipeline.environment(), stdin=subprocess.DEVNULL, stdout=end,
            stderr=subprocess.DEVNULL, preexec_fn=pipeline.die_with_parent)
        os.close(end)
        text = bytearray()
        reader = threading.Thread(target=self.read_all, args=(terminal, text))
        reader.start()
        try:
            def drawn_again(times):
                pipeline.wait_for(lambda: text.count(b"\x1b[3A\r\x1b[J") >= times, 10,
                                  f"the table, drawn again {times} times")

            drawn_again(1)
            with Peer("slave", path) as peer:
                peer.connect()
                traffic.one_echo(peer)
                pipeline.wait_for(lambda: b"\x1b[Ja: link up, peer 'interop0'" in text, 10,
                                  "the line of the link, above the table")
                drawn_again(3)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(pipeline.PATIENCE), 0)
        finally:
            process.kill()
            process.wait()
            reader.join()
            os.close(terminal)
        self.assertIn(b"packets received", text)

    @staticmethod
    def read_all(terminal, text):
        try:
            while part := os.read(terminal, 65536):
                text += part
        except OSError:     # raised by a terminal whose other end is closed
            pass

    # CPUs, threads, queues

    def test_idle(self):
        """Interrupt mode: below 1 % of one CPU with links up and nothing to do."""
        path = self.socket()
        with Ping(f"--vdev=a,r=master,s={path} --vdev=b,i=1,r=master,s={path}") as app:
            self.wait_socket(path)
            with Peer("slave", path) as one, Peer("slave", path, 1) as two:
                for peer in (one, two):
                    peer.connect()
                    traffic.one_echo(peer)
                self.assertIsNone(pipeline.idle(lambda: ping_app.load(app)))

    def test_four_queues(self):
        """Each queue has a thread of its own, which counts and answers what came on it."""
        path = self.socket()
        app = Ping(f"--aff={FIRST_CPU} --vdev=quad,r=master,s={path},qn=4,q0=poll,aff={{{LAST_CPU}}}")
        try:
            self.wait_socket(path)
            with Peer("slave", path, tx_queues=4, rx_queues=4) as peer:
                peer.connect()
                app.wait_line(r"^quad: link up")
                self.assert_threads(app)
                sent = self.feed_queues(peer)
            app.wait_line(r"^quad: link down")
            app.stop()
            rows = ping_app.summary(app.output())
            for queue, count in enumerate(sent):
                row = rows["quad", queue]
                self.assertEqual((row["rx"], row["tx"], row["drops"]), (count, count, {}))
        finally:
            app.kill()

    def assert_threads(self, app):
        # A link may be up before all threads have their names.
        names = [f"rx{queue}-quad:src" for queue in range(4)]
        pipeline.wait_for(lambda: set(names) <= set(app.threads()), 10, f"threads {names}")
        threads = app.threads()
        for name in names:
            self.assertEqual(len(threads[name]), 1)
        everywhere = os.sched_getaffinity(0)
        self.assertEqual(os.sched_getaffinity(threads["rx0-quad:src"][0]), {LAST_CPU})
        self.assertEqual(os.sched_getaffinity(threads["rx1-quad:src"][0]), everywhere)
        self.assertEqual(os.sched_getaffinity(app.pid), {FIRST_CPU})

    def feed_queues(self, peer):
        """Different numbers into each queue; answers come on the queue asked. What was sent."""
        mac = packets.judge_arp(self.ask(peer, 0))
        sent = [1, 0, 0, 0]
        for queue, count in enumerate((100, 200, 300, 400)):
            flow = packets.EchoFlow(4, 98, mac, count)
            for start in range(0, count, 50):
                self.assertEqual(peer.send(flow.requests(start, 50), queue, 5), 50)
                answered = 0
                while answered < 50:
                    replies = peer.recv(pipeline.PATIENCE, queue)
                    self.assertTrue(replies, f"no replies on queue {queue}")
                    answered += flow.judge(replies)
            sent[queue] += count
        self.assertEqual(peer.recv(0.05), [])
        return sent

    def ask(self, peer, queue):
        peer.send([packets.arp_request()], queue, 5)
        replies = peer.recv(pipeline.PATIENCE, queue)
        self.assertEqual(len(replies), 1)
        return replies[0]
