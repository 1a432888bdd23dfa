# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""The devices under test: how each one is started for a task. Every one runs on CPU 0."""

import os
import shlex
import shutil
from dataclasses import dataclass, field

CPU_DEVICE = 0
CPU_LOAD = 1


@dataclass(frozen=True)
class Setup:
    """What a device is to be."""

    task: str = "echo"  # or reflect (back as it is), forward (from id 0 to id 1)
    size: str = "64"
    role: str = "slave"
    rx_mode: str = "polling"
    queues: int = 1
    interfaces: int = 1
    ring_size: int = 1024
    least_buffer: int = 2048  # bytes of a buffer, if the packets need no more
    options: tuple = field(default=())  # further words of the device

    @property
    def buffer_size(self):
        if self.size == "imix" or int(self.size) <= self.least_buffer:
            return self.least_buffer
        return (int(self.size) + 255) // 256 * 256


def pinned(command):
    return ["taskset", "-c", str(CPU_DEVICE), *command]


class Limit:
    """The bare ring loop: as slave it swaps descriptors, as master and between links it copies."""

    name = "limit"

    def __init__(self, loadgen):
        self.loadgen = loadgen

    def command(self, setup, socket):
        command = [self.loadgen, "--mode=respond", f"--role={setup.role}", f"--socket-path={socket}",
                   "--seconds=60", f"--cpu={CPU_DEVICE}", f"--buffer-size={setup.buffer_size}",
                   f"--queues={setup.queues}"]
        if setup.task == "forward":
            return command + ["--forward", "--interfaces=2"]
        edit = ["--edit"] if setup.task == "echo" else []
        return command + edit + [f"--interfaces={setup.interfaces}"]


class Gst:
    """Our elements, from the command line."""

    def __init__(self, name="gst-memif", src="", responder=""):
        self.name, self.src, self.responder = name, src, responder

    def command(self, setup, socket):
        common = (f"socket-path={socket} role={setup.role} buffer-size={setup.buffer_size} "
                  f"ring-size={setup.ring_size} "
                  f"rx-queues={setup.queues} tx-queues={setup.queues} ")
        chains = []
        for id in range(setup.interfaces):
            for queue in range(setup.queues):
                src = (f"memifsrc id={id} queue={queue} rx-mode={setup.rx_mode} {common} "
                       f"{self.src} {' '.join(setup.options)} ! ")
                out = 1 if setup.task == "forward" else id
                sink = f"memifsink id={out} queue={queue} {common} "
                middle = f"icmpresponder {self.responder} ! " if setup.task == "echo" else ""
                chains.append(src + middle + sink)
        return pinned(["gst-launch-1.0", "-q", *shlex.split(" ".join(chains))])


class Testpmd:
    """DPDK. Its forwarding core is ours; the main one sleeps, and shares the other."""

    def __init__(self, mode):
        self.name, self.mode = f"testpmd {mode}", mode

    def missing(self):
        if os.geteuid():
            return "testpmd needs root"
        return None if shutil.which("dpdk-testpmd") else "dpdk-testpmd is not installed"

    def command(self, setup, socket):
        role = "client" if setup.role == "slave" else "server"
        mbuf = setup.buffer_size + 128
        ids = (0, 1) if setup.task == "forward" else range(setup.interfaces)
        devices = [f"--vdev=net_memif{i},role={role},id={i},socket={socket},socket-abstract=no,"
                   f"bsize={setup.buffer_size},rsize=10" for i in ids]
        return ["dpdk-testpmd", "--lcores", f"0@{CPU_LOAD},1@{CPU_DEVICE}", "--no-huge", "--no-pci",
                "-m", "512", "--no-telemetry", f"--file-prefix=bench{os.getpid()}", *devices, "--",
                "--total-num-mbufs=16384", f"--mbuf-size={mbuf}", f"--forward-mode={self.mode}",
                "--no-mlockall", "--no-flush-rx", "--tx-offloads=0", f"--rxq={setup.queues}",
                f"--txq={setup.queues}"]


class Foreign:
    """A program given by the environment, as a command with {socket}, {role} and {id} in it."""

    def __init__(self, name, variable, rx_mode="polling"):
        self.name, self.variable, self.rx_mode = name, variable, rx_mode

    def missing(self):
        return None if os.environ.get(self.variable) else f"{self.variable} is not set"

    def command(self, setup, socket):
        if setup.size not in ("64", "1500", "imix"):
            return "not run: larger than its buffers"
        text = os.environ[self.variable].format(socket=socket, role=setup.role, id=0)
        return pinned(shlex.split(text))


def libmemif():
    """Its responder sleeps until there is an interrupt; one that polls is a build of one's own."""
    return [Foreign("libmemif icmp_responder", "LIBMEMIF_RESPONDER", "interrupt"),
            Foreign("libmemif icmp_responder, polling", "LIBMEMIF_POLLING_RESPONDER")]


def all_devices(loadgen):
    """By task, in the order of the report."""
    ours = [Gst(), Gst("gst-memif, one packet per buffer", src="batches=false")]
    unverified = Gst("gst-memif, verify-checksum=false", responder="verify-checksum=false")
    foreign = [*libmemif(), Foreign("VPP", "VPP_RESPONDER")]
    limit = Limit(loadgen)
    return {"echo": [limit, ours[0], unverified, ours[1], Testpmd("icmpecho"), *foreign],
            "reflect": [limit, ours[0], Testpmd("io"), Testpmd("macswap")],
            "forward": [limit, ours[0], ours[1], Testpmd("io"), Testpmd("macswap")]}
