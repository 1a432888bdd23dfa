# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""A GStreamer pipeline in a process of its own, as users run it: gst-launch-1.0.

What it is asked afterwards: did it live, did it end cleanly, did anybody complain (GLib, a
sanitizer), and what does it hold (descriptors, mappings, memory, CPU time).
"""

import ctypes
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_libc = ctypes.CDLL(None)
HERE = Path(__file__).resolve().parent
ADDRESSES = "192.168.1.1,fd00::1"
PATIENCE = 60   # seconds, for what takes far less where nothing else runs
COMPLAINTS = re.compile(r"-?(CRITICAL|ERROR|WARNING) \*\*|ERROR: \w+Sanitizer|"
                        r"WARNING: ThreadSanitizer|runtime error:|terminate called")


def environment():
    """The environment in which gst-launch finds the elements of the build directory."""
    env = dict(os.environ)
    build = env.get("MEMIF_BUILD")
    if build:
        env["GST_PLUGIN_PATH"] = f"{build}/plugins"
        env["GST_REGISTRY"] = f"{build}/registry-interop.bin"
        env["LD_LIBRARY_PATH"] = ":".join(
            [f"{build}/gst/memif", f"{build}/gst/packet"] +
            [path for path in [env.get("LD_LIBRARY_PATH")] if path])
    env.setdefault("GST_DEBUG", "2")
    env["GST_DEBUG_NO_COLOR"] = "1"
    if env.get("MEMIF_ASAN"):
        library = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True,
                                 text=True, check=True).stdout.strip()
        env["LD_PRELOAD"] = os.path.realpath(library)
        env.setdefault("ASAN_OPTIONS", "detect_leaks=0:exitcode=99")
        env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    return env


def stand_in():
    """Whether the suite judges itself, with a Python responder where the pipeline belongs."""
    return bool(os.environ.get("MEMIF_STAND_IN"))


def missing():
    """Why no pipeline can run here, or None."""
    if stand_in():
        return None
    for element in ("memifsrc", "memifsink", "icmpresponder"):
        try:
            done = subprocess.run(["gst-inspect-1.0", element], env=environment(),
                                  capture_output=True, timeout=60)
        except FileNotFoundError:
            return "gst-inspect-1.0 is not installed"
        if done.returncode:
            return f"GStreamer finds no element {element} (meson compile -C DIR builds it, --build DIR names it)"
    return None


def properties(**settings):
    """name=value words, `_` in a name standing for `-`; None leaves a property alone."""
    return " ".join(f"{name.replace('_', '-')}={value}"
                    for name, value in settings.items() if value is not None)


def responder(path, role="slave", id=0, addresses=ADDRESSES, src=None, sink=None, **both):
    """The description of the usual pipeline; `both` goes to either end, `src`, `sink` to one."""
    common = dict(socket_path=path, role=role, id=id, **both)
    return (f"memifsrc {properties(**common, **(src or {}))} ! "
            f"icmpresponder address={addresses} ! "
            f"memifsink {properties(**common, **(sink or {}))}")


def die_with_parent():
    """In a child: no orphan, above all none that polls, when the suite itself is killed."""
    _libc.prctl(1, signal.SIGKILL)


class Pipeline:
    """Runs a pipeline until `stop`; as a context manager it also asserts that all went well."""

    def __init__(self, description, arguments=("-q",), env=None):
        self.description = description
        self.log = tempfile.NamedTemporaryFile("w+", prefix="interop-", suffix=".log")
        self.process = subprocess.Popen(
            self.program() + list(arguments) + shlex.split(description),
            env={**environment(), **(env or {})}, stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=die_with_parent)

    def program(self):
        """What runs descriptions; its command line up to the arguments."""
        return [sys.executable, str(HERE / "stand_in.py")] if stand_in() else ["gst-launch-1.0"]

    @property
    def pid(self):
        return self.process.pid

    def output(self):
        return Path(self.log.name).read_text(errors="backslashreplace")

    def alive(self):
        return self.process.poll() is None

    def wait_playing(self, timeout=8):
        """Until gst-launch says so; it does without -q only."""
        if not stand_in():
            wait_for(lambda: "to PLAYING" in self.output(), timeout, "PLAYING")

    def assert_alive(self):
        if not self.alive():
            raise AssertionError(f"the pipeline ended with {self.process.returncode}:\n"
                                 f"{self.description}\n{self.output()[-6000:]}")

    def assert_silent(self):
        """Nothing of GLib or a sanitizer in what it printed."""
        bad = [line for line in self.output().splitlines() if COMPLAINTS.search(line)]
        if bad:
            raise AssertionError(f"complaints of {self.description}:\n" + "\n".join(bad[:40]))

    def wait(self, timeout=PATIENCE):
        """The exit code, for pipelines expected to end by themselves."""
        timeout = max(timeout, PATIENCE)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still runs after {timeout} s: {self.description}\n"
                                 f"{self.output()[-3000:]}") from None

    def handles_interrupts(self):
        """Whether it catches SIGINT: gst-launch does once the pipeline is set to PLAYING."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        caught = int(re.search(r"^SigCgt:\s+(\w+)", status, re.M).group(1), 16)
        return bool(caught >> (signal.SIGINT - 1) & 1)

    def wait_started(self, timeout=10):
        wait_for(lambda: not self.alive() or self.handles_interrupts(), timeout, "the start")
        self.assert_alive()

    def stop(self, timeout=10):
        """Ends it as a user would, and asserts that it ends."""
        self.wait_started()
        self.process.send_signal(signal.SIGINT)
        code = self.wait(timeout)
        if code != 0:
            raise AssertionError(f"ended with {code} when interrupted: {self.description}\n"
                                 f"{self.output()[-6000:]}")
        self.assert_silent()

    def kill(self):
        if self.alive():
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.stop()
        finally:
            self.kill()
            if kind is not None:
                print(f"--- output of {self.description}\n{self.output()[-4000:]}---",
                      file=sys.stderr)
            self.log.close()

    # What the process holds.

    def fds(self):
        """Where each open descriptor leads, sorted, numbers of sockets and pipes left out."""
        found = []
        for entry in os.scandir(f"/proc/{self.pid}/fd"):
            try:
                found.append(re.sub(r"\[\d+\]", "", os.readlink(entry.path)))
            except FileNotFoundError:
                pass
        return sorted(found)

    def mappings(self):
        """The lines of maps, without anonymous ones: an allocator's arenas come and go."""
        lines = Path(f"/proc/{self.pid}/maps").read_text().splitlines()
        return sorted(line.split(None, 5)[5] for line in lines if len(line.split(None, 5)) == 6)

    def rss(self):
        """Resident kilobytes."""
        text = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return int(re.search(r"^Rss:\s+(\d+) kB", text, re.M).group(1))

    def own_memory(self):
        """Resident kilobytes that are not of shared memory, such as that of a link."""
        text = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return int(re.search(r"^Anonymous:\s+(\d+) kB", text, re.M).group(1))

    def ticks(self):
        """User and system clock ticks used so far."""
        stat = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(stat[11]) + int(stat[12])

    def switches(self):
        """Voluntary context switches of all threads, by thread name and number."""
        found = {}
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            try:
                status = (task / "status").read_text()
            except FileNotFoundError:
                continue
            name = re.search(r"^Name:\s+(.*)$", status, re.M).group(1)
            count = re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.M).group(1)
            found[f"{name}/{task.name}"] = int(count)
        return found


def settled(read, seconds=1.0):
    """What `read` yields once it is the same for so long."""
    last, since = read(), time.monotonic()
    deadline = since + PATIENCE
    while time.monotonic() - since < seconds:
        time.sleep(0.01)
        now = read()
        if now != last:
            last, since = now, time.monotonic()
        if since > deadline:
            raise AssertionError(f"still changes after {PATIENCE} s: {now}")
    return last


def idle(disturbance, attempts=6):
    """None once `disturbance` yields None, or what it yields in the last of so many attempts.

    It watches for some seconds. On a busy machine something of before may fall into them, but into
    each of them only what comes again and again.
    """
    for _ in range(attempts):
        found = disturbance()
        if found is None:
            break
    return found


def wait_for(condition, timeout, what):
    """Polls until the condition yields something true, and returns that.

    A time-out is for what never comes, so it is not less than PATIENCE.
    """
    timeout = max(timeout, PATIENCE)
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {timeout} s")
        time.sleep(0.01)
