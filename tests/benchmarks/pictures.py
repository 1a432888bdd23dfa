#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""CPU time of raw video frames between two processes: memif in both roles, and shmsink with shmsrc.

    pictures.py --build DIR [--size 3840x2160] [--frames 600] [--rounds 3] [--paced]

The sender either copies a frame that it has (imagefreeze) or paints each one into the memory that the
sink offers (videotestsrc). Each cell is the median over the rounds, in microseconds of user and system
time per frame: what a run of many frames takes more than one of few, divided by the frames more, so
that starting the programs does not count.
"""

import argparse
import os
import shlex
import signal
import statistics
import subprocess
import tempfile
import time

FEW = 20
SLOTS = 8           # frames that can be on their way
SECONDS = 120       # for one run


def environment(build):
    env = dict(os.environ, GST_PLUGIN_PATH=f"{build}/plugins", GST_DEBUG="0",
               GST_REGISTRY=f"{build}/registry-pictures.bin",
               LD_LIBRARY_PATH=f"{build}/gst/memif:{build}/gst/packet")
    return env


class Setup:
    """The command lines of one transport."""

    def __init__(self, args, directory):
        self.width, self.height = (int(word) for word in args.size.split("x"))
        self.bytes = self.width * self.height * 3 // 2
        self.caps = (f"video/x-raw,format=I420,width={self.width},height={self.height},"
                     f"framerate={60 if args.paced else 1000}/1")
        self.live = "true" if args.paced else "false"
        self.socket = f"{directory}/socket"

    def source(self, kind):
        if kind == "copied":
            return (f"videotestsrc num-buffers=1 ! {self.caps} ! identity drop-allocation=true ! "
                    f"imagefreeze is-live={self.live} ! "
                    f"{self.caps}")
        return f"videotestsrc pattern=black is-live={self.live} ! {self.caps}"

    def memif(self, role):
        return (f"socket-path={self.socket} role={role} ring-size={SLOTS} buffer-size={self.bytes}")

    def pipelines(self, transport, kind, frames):
        """Of sender and receiver; the sender is started first."""
        if transport == "shm":
            return (f"{self.source(kind)} ! shmsink socket-path={self.socket} sync=false "
                    f"wait-for-connection=true shm-size={SLOTS * self.bytes + 4096}",
                    f"shmsrc socket-path={self.socket} is-live=true do-timestamp=true "
                    f"num-buffers={frames} ! {self.caps} ! fakesink sync=false")
        sender, receiver = {"memif slave": ("slave", "master"),
                            "memif master": ("master", "slave")}[transport]
        return (f"{self.source(kind)} ! memifsink any-caps=true when-down=block "
                f"{self.memif(sender)}",
                f"memifsrc num-buffers={frames} caps={self.caps} {self.memif(receiver)} ! "
                "fakesink sync=false")


def start(pipeline, env):
    return subprocess.Popen(["gst-launch-1.0", "-q", *shlex.split(pipeline)], env=env,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def used(process):
    """CPU seconds of a process, which has to end soon."""
    deadline = time.monotonic() + SECONDS
    while True:
        pid, _, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = 0      # it is gone: nothing is to be waited for
            return usage.ru_utime + usage.ru_stime
        if time.monotonic() > deadline:
            os.kill(process.pid, signal.SIGKILL)
            os.wait4(process.pid, 0)
            process.returncode = 0
            raise SystemExit(f"{process.args} does not end")
        time.sleep(0.002)


def end(process):
    """shmsink 1.22 may not end when it is interrupted."""
    os.kill(process.pid, signal.SIGINT)
    time.sleep(0.2)
    os.kill(process.pid, signal.SIGKILL)
    return used(process)


def run(setup, transport, kind, frames, env):
    """CPU seconds of sender and receiver."""
    if os.path.exists(setup.socket):
        os.unlink(setup.socket)
    sends, receives = setup.pipelines(transport, kind, frames)
    sender = start(sends, env)
    if transport != "memif slave":
        deadline = time.monotonic() + 10
        while not os.path.exists(setup.socket) and time.monotonic() < deadline:
            time.sleep(0.005)
    receiver = start(receives, env)
    received = used(receiver)
    return end(sender), received


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--size", default="3840x2160")
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--paced", action="store_true", help="60 frames a second")
    args = parser.parse_args()
    env = environment(os.path.abspath(args.build))
    print(f"{'':14}{'sender':10}{'us/frame':>12}{'of shm':>8}   {'receiver us/frame':>18}{'of shm':>8}")
    with tempfile.TemporaryDirectory(prefix="pictures-") as directory:
        setup = Setup(args, directory)
        for kind in ("copied", "painted"):
            transports = ("shm", "memif slave", "memif master")
            cells = {transport: [] for transport in transports}
            for _ in range(args.rounds):
                for transport in transports:
                    few = run(setup, transport, kind, FEW, env)
                    many = run(setup, transport, kind, FEW + args.frames, env)
                    cells[transport].append([1e6 * (b - a) / args.frames for a, b in zip(few, many)])
            base = None
            for transport in transports:
                sent, received = (statistics.median(column) for column in zip(*cells[transport]))
                base = base or (sent, received)
                print(f"{transport:14}{kind:10}{sent:12.0f}{sent / base[0]:8.2f}   "
                      f"{received:18.0f}{received / base[1]:8.2f}", flush=True)


if __name__ == "__main__":
    main()
