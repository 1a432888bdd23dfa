# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""A network namespace for the kernel's end, so that no test touches the host's network."""

import itertools
import os
import re
import subprocess

from pipeline import wait_for

_numbers = itertools.count()


def run(*command, check=True, timeout=60):
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def missing():
    """Why no namespace can be had here, or None."""
    if os.geteuid():
        return "network namespaces need root"
    try:
        with Namespace() as space:
            space.ip("link", "show", "lo")
    except (AssertionError, FileNotFoundError) as error:
        return f"no network namespaces: {error}"
    return None


class Namespace:
    """Made on entry, removed on exit, with every device that is in it."""

    def __init__(self):
        self.name = f"interop{os.getpid()}x{next(_numbers)}"

    def __enter__(self):
        run("ip", "netns", "add", self.name)
        return self

    def __exit__(self, *_):
        run("ip", "netns", "del", self.name, check=False)

    def execute(self, *command, check=True, timeout=60):
        return run("ip", "netns", "exec", self.name, *command, check=check, timeout=timeout)

    def ip(self, *words, check=True):
        return run("ip", "-n", self.name, *words, check=check)

    def wait_device(self, device, timeout=15):
        wait_for(lambda: self.ip("link", "show", device, check=False).returncode == 0, timeout,
                 f"device {device}")

    def ping(self, target, count, size, interval=0.002, fragments=False):
        """Runs the kernel's ping; (sent, received), with the rest of what it said.

        For its last reply ping waits as long as two others took, which a busy machine may not
        keep. So there is one more request than those that count.
        """
        done = self.execute("ping", "-n", "-c", str(count + 1), "-i", str(interval), "-s",
                            str(size), "-W", "10", "-M", "dont" if fragments else "do", target,
                            check=False, timeout=120 + count * interval)
        found = re.search(r"(\d+) packets transmitted, \d+ received(.*)", done.stdout)
        if not found:
            raise AssertionError(f"ping {target} said:\n{done.stdout}{done.stderr}")
        answered = {int(number) for number in re.findall(r"bytes from .* icmp_seq=(\d+)", done.stdout)}
        return int(found.group(1)) - 1, len(answered - {count + 1}), found.group(2)
