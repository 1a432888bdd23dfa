# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""The examples that embed pipelines, and the launch scripts, run as a reader would run them."""

import os
import signal
import subprocess
from pathlib import Path

import packets
import ping_app
import pipeline
import traffic
from base import InteropTest
from memif_peer import Peer

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
STEPS = (
    "memif-link: up, peer 'out'",
    "sent: ARP request for 192.168.1.1",
    "received: ARP reply, 192.168.1.1 is at 02:00:c0:a8:01:01",
    "sent: echo request",
    "received: echo reply of 64 bytes, right",
    "address of the responder is 192.168.1.77 now",
    "sent: ARP request for 192.168.1.77",
    "received: ARP reply, 192.168.1.77 is at 02:00:c0:a8:01:4d",
    "sent: echo request",
    "received: echo reply of 64 bytes, right",
    "stats: 5 packets taken, 4 answered, 1 not for us",
    "thread memif-control: none",
    "done",
)


class EmbedTest(InteropTest):
    """An application's own loop, in both languages; exactly the output that the README shows."""

    @classmethod
    def why_not(cls):
        return ping_app.missing("embed")

    def run_example(self, *command, rounds=5):
        for _ in range(rounds):
            done = subprocess.run(list(map(str, command)), env=pipeline.environment(),
                                  capture_output=True, text=True, timeout=120)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertEqual(tuple(done.stdout.splitlines()), STEPS)
            self.assertNotRegex(done.stderr, pipeline.COMPLAINTS)

    def test_cpp(self):
        self.run_example(ping_app.example("embed"))

    def test_python(self):
        self.run_example("/usr/bin/python3", EXAMPLES / "embed_loop.py")

    def test_short_python(self):
        """The commands of the README: what is sent comes back whole, and Ctrl-C ends it."""
        text = (EXAMPLES / "README.md").read_text()
        (peer,) = (line.split("gst-launch-1.0", 1)[1] for line in text.splitlines()
                   if "packetcheck" in line and "embed.sock" in line)
        peer = peer.replace("packetcheck", "packetcheck timeout=60000")     # on a busy machine
        path = self.socket()
        log = Path(self.directory, "embed.log")
        with open(log, "w", encoding="utf-8") as out:
            process = subprocess.Popen(["/usr/bin/python3", EXAMPLES / "embed.py", path],
                                       env=pipeline.environment(), stdout=out,
                                       stderr=subprocess.STDOUT, text=True,
                                       preexec_fn=pipeline.die_with_parent)
        line = None

        def says(words):
            pipeline.wait_for(lambda: words in log.read_text(), 60, words)
        try:
            says("Waiting for a master")
            line = pipeline.Pipeline(peer.replace("/tmp/embed.sock", path))
            self.assertEqual(line.wait(60), 0, line.output())
            says("Link up as slave with memifsink0")
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(60), 0, log.read_text())
            self.assertNotIn("Traceback", log.read_text())
        finally:
            if line:
                line.kill()
            process.kill()
            process.wait()

    def test_short_python_mistakes(self):
        """What is wrong is said, without a traceback, and the exit code tells."""
        for arguments, expected in (((), "Usage"), (("/tmp/" + "x" * 110,), "too long")):
            with self.subTest(expected):
                done = subprocess.run(["/usr/bin/python3", EXAMPLES / "embed.py", *arguments],
                                      env=pipeline.environment(), stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True, timeout=120)
                self.assertEqual(done.returncode, 1)
                self.assertIn(expected, done.stdout)
                self.assertNotIn("Traceback", done.stdout)

    def test_python_without_plugins(self):
        """The error says what to do."""
        env = dict(pipeline.environment(), GST_REGISTRY=f"{self.directory}/empty-registry")
        env.pop("GST_PLUGIN_PATH", None)
        done = subprocess.run(["/usr/bin/python3", EXAMPLES / "embed_loop.py"], env=env,
                              capture_output=True, text=True, timeout=60)
        if done.returncode == 0:
            self.skipTest("the plugins are installed here")
        self.assertIn("meson devenv", done.stderr)

    def test_readme(self):
        """The output of embed stands in the README as it is."""
        text = (EXAMPLES / "README.md").read_text()
        self.assertIn("\n".join("    " + line for line in STEPS), text)


class LaunchTest(InteropTest):
    """The launch scripts."""

    def start(self, script, *arguments):
        return subprocess.Popen(["bash", EXAMPLES / script, *arguments],
                                env=pipeline.environment(), stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, preexec_fn=pipeline.die_with_parent)

    @classmethod
    def why_not(cls):
        return ping_app.missing()

    def test_loopback(self):
        done = subprocess.run(["bash", EXAMPLES / "launch-loopback.sh", "5000"],
                              env=pipeline.environment(), capture_output=True, text=True,
                              timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("5000 packets went through shared memory", done.stdout)

    def served(self, script, peer):
        """The script's pipeline answers the peer, and ends when it is interrupted."""
        process = self.start(script, peer.path, packets.TARGET_IP4)
        try:
            if peer.role == "slave":
                self.wait_socket(peer.path)
            peer.connect()
            traffic.one_echo(peer)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(pipeline.PATIENCE), 0)
        finally:
            process.kill()
            process.wait()

    def test_vpp(self):
        with Peer("master", self.socket()) as peer:
            self.served("launch-vpp.sh", peer.listen())

    def test_dpdk(self):
        with Peer("slave", self.socket()) as peer:
            self.served("launch-dpdk.sh", peer)

    def test_scripts_can_be_run(self):
        for script in sorted(EXAMPLES.glob("launch-*.sh")):
            with self.subTest(script.name):
                self.assertTrue(os.access(script, os.X_OK))
