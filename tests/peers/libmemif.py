# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""A build of libmemif: its example programs, and its library in a process of its own."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from pipeline import die_with_parent, wait_for

HERE = Path(__file__).resolve().parent
PROGRAMS = ("icmp_responder", "test_app")


def root():
    return os.environ.get("LIBMEMIF_BUILD", "")


def find(name):
    """The path of a file of the build, wherever it puts it, or None."""
    for directory in ("examples", "lib", "bin", "src", "."):
        path = Path(root(), directory, name)
        if path.is_file():
            return path
    return None


def missing(*names):
    """Why tests with these files of libmemif cannot run, or None."""
    if not root():
        return "LIBMEMIF_BUILD does not name a build of libmemif"
    absent = [name for name in names if not find(name)]
    return f"{root()} has no {' and no '.join(absent)}" if absent else None


class Program:
    """An example of libmemif, or the echo of libmemif_echo.py, until it is stopped."""

    def __init__(self, *command):
        library = find("libmemif.so")
        env = dict(os.environ)
        if library:
            env["LD_LIBRARY_PATH"] = str(library.parent)
        self.command = " ".join(command)
        self.log = tempfile.NamedTemporaryFile("w+", prefix="peers-", suffix=".log")
        self.process = subprocess.Popen(
            ["stdbuf", "-oL", *command], env=env, stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=subprocess.STDOUT, preexec_fn=die_with_parent)

    def output(self):
        return Path(self.log.name).read_text(errors="backslashreplace")

    def alive(self):
        return self.process.poll() is None

    def wait_up(self, count=1, timeout=15):
        """Until it has said so many times that a link is up."""
        def up():
            if not self.alive():
                raise AssertionError(self.account())
            return self.output().count("memif connected!") >= count
        wait_for(up, timeout, f"libmemif's link ({self.command}, {self.output()[-1000:]})")

    def wait_end(self, timeout=15):
        return wait_for(lambda: not self.alive(), timeout, f"the end of {self.command}")

    def account(self):
        """What libmemif's side did, for the report of a failure."""
        state = "runs" if self.alive() else f"ended with {self.process.returncode}"
        return f"libmemif {state}: {self.command}\n{self.output()[-2000:]}"

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            print(f"--- {self.account()}---", file=sys.stderr)
        self.kill()
        self.log.close()


def example(name, role, path, *options):
    return Program(str(find(name)), "-r", role, "-s", path, *options)


def echo(role, path, queues=1, secret="", mode="ethernet", size=2048):
    """Sends back what comes, on any number of queues; the examples have one and no secret."""
    return Program(sys.executable, "-u", str(HERE / "libmemif_echo.py"), str(find("libmemif.so")),
                   role, path, str(queues), mode, str(size), secret)
