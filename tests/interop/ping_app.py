# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""The example application ping as a process, and what its tables say."""

import os
import re
import subprocess
import time
from pathlib import Path

import pipeline


def example(name):
    """The path of an example of the build directory, or None."""
    path = Path(os.environ.get("MEMIF_BUILD", "")) / "examples" / name
    return path if path.is_file() else None


def missing(name="ping"):
    """Why the example cannot run here, or None."""
    if pipeline.stand_in():
        return "the stand-in is no application"
    return pipeline.missing() or (None if example(name) else
                                  f"the build directory has no examples/{name}")


def load(app, seconds=4):
    """What it uses of one CPU for some seconds, if that is 1 % or more, or None."""
    ticks = app.ticks()
    time.sleep(seconds)
    used = (app.ticks() - ticks) / os.sysconf("SC_CLK_TCK") / seconds
    return f"{used:.1%} of a CPU while idle" if used >= 0.01 else None


def run(*arguments, env=None):
    """Runs ping until it ends by itself: exit code, output, errors."""
    done = subprocess.run([str(example("ping")), *arguments], capture_output=True, text=True,
                          timeout=120, env=env or pipeline.environment())
    return done.returncode, done.stdout, done.stderr


class Ping(pipeline.Pipeline):
    """Runs ping with the words of a description until it is stopped."""

    def __init__(self, description, env=None):
        super().__init__(description, (), env)

    def program(self):
        return [str(example("ping"))]

    def lines(self, pattern):
        """The lines of the output that match."""
        return [line for line in self.output().splitlines() if re.search(pattern, line)]

    def wait_line(self, pattern, timeout=10, count=1):
        """Until so many lines match; returns them."""
        def enough():
            self.assert_alive()
            found = self.lines(pattern)
            return found if len(found) >= count else None
        return pipeline.wait_for(enough, timeout, f"{count} x {pattern!r} of ping")

    def wait_running(self):
        return self.wait_line("use CTRL.C to exit")

    def threads(self):
        """The threads by name: a list of their numbers each."""
        found = {}
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            found.setdefault((task / "comm").read_text().strip(), []).append(int(task.name))
        return found


# Packets, their rate, Mbit/s; slots in use, and all, where the queue has such a ring.
_DIRECTION = r"(\d+)\s+(\d+)\s+([\d.]+)\s+(?:(\d+)/(\d+)\s+)?"
ROW = re.compile(r"^(\S.*?)\s+(\d+)\s+(?:(up)\s+(\d+) s\s+(\S+)|(down))\s+" +
                 2 * _DIRECTION + r"(.*)$")


def summary(output):
    """The rows of the last table, by (interface, queue)."""
    table = output[output.rindex("interface "):]
    rows = {}
    for line in table.splitlines()[1:]:
        row = ROW.match(line)
        if row:
            drops = {} if row[17] == "-" else \
                {part.rsplit(" ", 1)[0]: int(part.rsplit(" ", 1)[1])
                 for part in row[17].split(", ")}
            rows[row[1], int(row[2])] = dict(
                link=row[3] or row[6], peer=row[5], rx=int(row[7]), rx_rate=float(row[9]),
                rx_ring=row[11], tx=int(row[12]), tx_rate=float(row[14]), tx_ring=row[16],
                drops=drops)
    return rows
