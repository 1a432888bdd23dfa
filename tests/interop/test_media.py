# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Every command of docs/media.md: they are started together, data arrives, and they stop well."""

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import doc_commands
import netns
import pipeline
import testpmd
from base import InteropTest
from lan import Pipeline
from pipeline import wait_for

ELEMENTS = ("iphost", "memifudpsrc", "memifudpsink", "x264enc", "avdec_h264", "vp8enc", "opusenc",
            "rtpbin", "mpegtsmux", "tsdemux", "h264parse")
ENOUGH = 30             # buffers at a receiver: more than one picture, packet or key frame
SINKS = re.compile(r"auto(?:video|audio)sink")
SOURCES = re.compile(r"(?:video|audio)testsrc|^ffmpeg")
NOT_INSTALLED = ("vppctl", "vlc")       # no test needs them; the lines beside them are run


def missing():
    """Why the recipes cannot run here, or None."""
    for element in ELEMENTS:
        if not doc_commands.exists(element):
            return f"there is no element {element}"
    return None


class Launch(Pipeline):
    """A pipeline with a fakesink that says what comes."""

    def arrived(self):
        """Buffers that came to its sink."""
        return self.output().count("chain   ***")


class Program:
    """Any other program, until it is stopped."""

    def __init__(self, command, space, directory):
        words = shlex.split(command)
        if words[0] == "dpdk-testpmd":
            words[1:1] = [f"--file-prefix=media{os.getpid()}", "--no-telemetry"]
        self.log = tempfile.NamedTemporaryFile("w+", prefix="interop-", suffix=".log")
        # testpmd ends at the end of its input, and ffmpeg takes keys from it.
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", space.name, "stdbuf", "-oL", *words], cwd=directory, stdin=subprocess.PIPE,
            stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"},
            preexec_fn=pipeline.die_with_parent)
        self.command = command

    def output(self):
        return Path(self.log.name).read_text(errors="backslashreplace")

    def arrived(self):
        """What ffplay shows of its position in the stream, as a number of pictures."""
        shown = re.findall(r"([\d.]+) (?:M-V|A-V|M-A):", self.output())
        return ENOUGH if len(shown) > 1 and shown[-1] != shown[0] else 0

    def assert_alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.command} ended with {self.process.returncode}:\n"
                                 f"{self.output()[-3000:]}")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            print(f"--- output of {self.command}\n{self.output()[-2000:]}---", file=sys.stderr)
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.log.close()


class MediaTest(InteropTest):
    """A recipe is a section of the page."""

    @classmethod
    def why_not(cls):
        return super().why_not() or missing()

    def setUp(self):
        self.page = doc_commands.sections(doc_commands.MEDIA)
        self.space = None

    def start(self, stack, command):
        command = re.sub(r"/run/vpp/|/tmp/", f"{self.sockets}/", command)
        if not command.startswith("gst-launch-1.0"):
            return stack.enter_context(Program(command, self.space, self.directory))
        kernel = self.space and "memif" not in command
        launch = SINKS.sub("fakesink silent=false", command.removeprefix("gst-launch-1.0"))
        return stack.enter_context(Launch(launch, self.space if kernel else None, ("-v",)))

    def assert_arrives(self, receivers, others):
        def all_have():
            for each in [*receivers, *others]:
                each.assert_alive()
            return all(receiver.arrived() >= ENOUGH for receiver in receivers)
        wait_for(all_have, 20, f"{ENOUGH} buffers at each receiver")

    def play(self, title):
        """Each sender of a section in its turn reaches all receivers."""
        commands = [line for line in self.page[title] if line.split()[0] not in NOT_INSTALLED]
        receivers = [line for line in commands if SINKS.search(line) or line.startswith("ffplay")]
        senders = [line for line in commands if SOURCES.search(line)]
        others = [line for line in commands if line not in receivers + senders]
        self.assertTrue(receivers and senders, title)
        at_kernel = [[line] for line in receivers if "DPDK" in title and "memif" not in line]
        for group in at_kernel or [receivers]:          # those at the kernel share a port
            for sender in senders:
                with self.subTest(receiver=" ".join(group[0].split()[:2]),
                                  sender=" ".join(sender.split()[:4])):
                    self.play_once(others, group, sender, "DPDK" in title)

    def play_once(self, others, receivers, sender, with_kernel):
        """Everything is started anew: DPDK's server may crash when its client goes."""
        with contextlib.ExitStack() as stack:
            self.sockets = stack.enter_context(tempfile.TemporaryDirectory(prefix="memif-"))
            if with_kernel:
                self.space = stack.enter_context(netns.Namespace())
                self.space.ip("link", "set", "lo", "up")
            others = [self.start_other(stack, line) for line in others]
            started = [self.start(stack, line) for line in receivers]
            sending = self.start(stack, sender)
            self.assert_arrives(started, [sending, *filter(None, others)])
            for other in filter(None, others):
                if isinstance(other, Program):
                    other.process.kill()

    def start_other(self, stack, command):
        """What is neither sender nor receiver: a bridge, testpmd, or a setting of the kernel."""
        if command.startswith("ip "):
            self.space.execute(*shlex.split(command))
            return None
        other = self.start(stack, command)
        if command.startswith("dpdk-testpmd"):
            device = re.search(r"iface=(\w+)", command).group(1)
            self.space.wait_device(device)
            wait_for(lambda: "Press enter to exit" in other.output(), 20, "testpmd's start")
        return other

    def play_with_kernel(self, title, program):
        reason = testpmd.missing() or netns.missing()
        if reason or not shutil.which(program):
            self.skipTest(reason or f"{program} is not installed")
        self.play(title)

    def test_h264(self):
        self.play("H.264 over RTP")

    def test_vp8(self):
        self.play("VP8 over RTP")

    def test_kernel_receiver(self):
        Path(self.directory, "media.sdp").write_text(
            doc_commands.code_blocks(doc_commands.MEDIA, "sdp")[0])
        self.play_with_kernel("A kernel receiver, through DPDK", "ffplay")

    def test_kernel_sender(self):
        self.play_with_kernel("A kernel sender, through DPDK", "ffmpeg")

    def test_transport_stream(self):
        self.play("MPEG transport stream")

    def test_multicast(self):
        self.play("Multicast with two receivers")

    def test_rtpbin(self):
        self.play("rtpbin with RTCP")

    def test_opus(self):
        self.play("Opus")

    def test_raw_video(self):
        self.play("Raw video")

    def test_aes67(self):
        self.play("AES67 audio")

    def test_vpp_sender(self):
        """Without VPP, the pipeline of that section starts and waits for it."""
        launch = [line for line in self.page["A kernel receiver, through VPP"]
                  if line.startswith("gst-launch-1.0")]
        self.assertEqual(len(launch), 1)
        self.sockets = self.directory
        with contextlib.ExitStack() as stack:
            self.start(stack, launch[0]).wait_started()

    def test_all_are_run(self):
        """No section with commands lacks its test above."""
        source = Path(__file__).read_text()
        for title, commands in self.page.items():
            if commands:
                self.assertIn(f'"{title}"', source)
