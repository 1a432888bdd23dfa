# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""A VPP of its own: in a network namespace, with a directory of its own in place of /run/vpp."""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import netns
from pipeline import die_with_parent, wait_for

# Neither huge pages nor network cards. It sleeps a little in each round: tests share two cores.
CONFIG = """
unix {{
  nodaemon
  nobanner
  cli-no-pager
  runtime-dir {directory}
  cli-listen {directory}/cli.sock
  log {directory}/vpp.log
  poll-sleep-usec 100
}}
api-segment {{ prefix {prefix} }}
socksvr {{ socket-name {directory}/api.sock }}
statseg {{ socket-name {directory}/stats.sock size 32M page-size 4k }}
memory {{ main-heap-size 512M main-heap-page-size 4k }}
buffers {{ buffers-per-numa 16384 page-size 4k }}
plugins {{
  path {plugins}
  plugin dpdk_plugin.so {{ disable }}
}}
"""


def root():
    return os.environ.get("VPP_BUILD", "")


def plugins():
    """Where its plugins are, or None."""
    found = sorted(Path(root()).glob("lib/**/vpp_plugins/memif_plugin.so"))
    return found[0].parent if found else None


def missing():
    """Why VPP cannot run here, or None."""
    if not root():
        return "VPP_BUILD does not name a build of VPP"
    absent = [name for name in ("bin/vpp", "bin/vppctl") if not Path(root(), name).is_file()]
    if not plugins():
        absent.append("lib/*/vpp_plugins/memif_plugin.so")
    return no(absent or lacking("ping")) or netns.missing()


def lacking(*names):
    """Those of the plugins that it has not."""
    files = [f"{name}_plugin.so" for name in names]
    return [file for file in files if not Path(plugins(), file).is_file()]


def no(files):
    """The reason for which a test is skipped, or None."""
    return f"{root()} has no {' and no '.join(files)}" if files else None


def refused(command, output):
    """The line by which VPP refuses a command, or None: it has no exit codes for that."""
    for line in output.splitlines():
        words, colon, _ = line.partition(": ")
        if colon and words and command.startswith(words) or line.startswith("unknown input"):
            return line
    return None


class Vpp:
    """Started on entry and killed on exit; `stop` and `start` in between are a restart."""

    def __init__(self, directory):
        self.directory = directory
        self.space = netns.Namespace()
        self.process = None
        self.done = []          # what was asked of it, with its answers

    def start(self):
        Path(self.directory).mkdir(exist_ok=True)
        for name in ("cli.sock", "api.sock", "stats.sock"):
            Path(self.directory, name).unlink(missing_ok=True)      # of one that was killed
        config = Path(self.directory, "startup.conf")
        config.write_text(CONFIG.format(directory=self.directory, plugins=plugins(),
                                        prefix=self.space.name))
        libraries = {str(path.parent) for path in Path(root()).glob("lib/**/libv*.so*")}
        env = dict(os.environ, LD_LIBRARY_PATH=":".join(sorted(libraries)))
        self.log = tempfile.NamedTemporaryFile("w+", prefix="peers-vpp-", suffix=".log")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", self.space.name, f"{root()}/bin/vpp", "-c", str(config)],
            env=env, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent)
        self.env = env
        wait_for(self.ready, 60, "VPP's start")

    def ready(self):
        self.assert_alive()
        if not Path(self.directory, "cli.sock").is_socket():
            return False
        return "vpp v" in self.ask("show version", check=False)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def assert_alive(self):
        if not self.alive():
            raise AssertionError(self.account())

    def ask(self, command, check=True, timeout=60):
        """What vppctl prints; with `check`, VPP must not have refused it."""
        try:
            done = subprocess.run(
                [f"{root()}/bin/vppctl", "-s", f"{self.directory}/cli.sock",
                 *shlex.split(command)],
                env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"vppctl {command}: no answer in {timeout} s\n"
                                 f"{self.output()[-2000:]}") from None
        output = done.stdout.replace("\r", "") + done.stderr
        if check:
            self.done.append(f"vppctl {command}\n{output}")
            if done.returncode or refused(command, output):
                raise AssertionError(f"VPP refused: {command}\n{output}\n{self.account()}")
        return output

    def ping(self, words):
        """Runs its ping: the numbers of requests sent and of replies."""
        output = self.ask(f"ping {words}")
        found = re.search(r"(\d+) sent, (\d+) received", output)
        if not found:
            raise AssertionError(f"vppctl ping {words} has no statistics:\n{output}")
        return int(found.group(1)), int(found.group(2)), output

    def answered(self, words, count, interval=0.2):
        """How many of `count` requests are answered.

        It waits for the last reply as long as for any other, which a busy machine may not keep.
        So there is one more request than those that count.
        """
        _, _, output = self.ping(f"{words} repeat {count + 1} interval {interval}")
        numbers = {int(number) for number in re.findall(r"icmp_seq=(\d+)", output)}
        return len(numbers - {count + 1})

    def assert_answers(self, words, count=2, least=None):
        found = self.answered(words, count)
        if found < (count if least is None else least):
            raise AssertionError(f"vppctl ping {words}: {found} of {count} answered\n"
                                 f"{self.done[-1]}")

    def connected(self, interface):
        """Whether it says that its end of the link is up."""
        shown = self.ask(f"show memif {interface}", check=False)
        return re.search(r"^ *flags .*\bconnected\b", shown, re.M) is not None

    def wait_connected(self, interface, timeout=20):
        wait_for(lambda: self.assert_alive() or self.connected(interface), timeout,
                 f"a link, as VPP sees it ({interface})")

    def account(self):
        """What VPP did, for the report of a failure."""
        if not self.alive():
            code = self.process.returncode if self.process else None
            return f"VPP ended with {code}:\n{self.output()[-3000:]}"
        parts = self.done[-8:]
        for command in ("show memif", "show interface", "show errors", "show log"):
            parts.append(f"vppctl {command}\n{self.ask(command, check=False)[-2000:]}")
        return "VPP:\n" + "\n".join(parts)

    def output(self):
        return Path(self.log.name).read_text(errors="backslashreplace")

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def __enter__(self):
        self.space.__enter__()
        try:
            self.space.ip("link", "set", "lo", "up")
            self.start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, *_):
        if self.process is not None and not self.log.closed:
            if kind:
                print(f"--- {self.account()}---", file=sys.stderr)
            self.stop()
        self.space.__exit__()
