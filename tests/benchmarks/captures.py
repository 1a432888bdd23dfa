#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Capture files: pcapsink, pcapsrc and bpffilter beside testpmd with DPDK's pcap driver.

    captures.py [--build build] [--rounds 3] [--size 64] [--packets 10000000] [--folder /dev/shm]

Files are in memory; a round needs some gigabytes there. Everything takes turns within a round. Counted
is CPU time, of ours what more packets take, start and end left out, and of testpmd what its
forwarding core takes while there are packets.
"""

import argparse
import contextlib
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from devices import CPU_DEVICE, CPU_LOAD
from measure import stop

EXPRESSION = "udp port 9"
FEW = 1_000_000


def launch(options, line):
    """Seconds of CPU that a pipeline takes to its end."""
    environment = dict(os.environ, GST_PLUGIN_PATH=f"{options.build}/plugins",
                       GST_REGISTRY=f"{options.folder}/registry.bin", LD_LIBRARY_PATH=":".join(
                           f"{options.build}/gst/{library}" for library in ("memif", "packet")))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["taskset", "-c", str(CPU_DEVICE), "gst-launch-1.0", "-q", *line.split("|")],
                   env=environment, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def nanoseconds(options, line):
    """Of one more packet; `line` takes the number of packets."""
    few, many = (launch(options, line(count)) for count in (FEW, FEW + options.packets))
    return (many - few) / options.packets * 1e9


def generator(options, rest):
    return lambda count: f"packetgen|count={count}|size={options.size}|!|{rest}"


CHECK = "packetcheck|verify-payload=false"


def bpffilter(options):
    """Beyond the same without it."""
    without = nanoseconds(options, generator(options, CHECK))
    both = nanoseconds(options, generator(
        options, f"bpffilter|expression=\"{EXPRESSION}\"|!|{CHECK}"))
    return both - without


def pcapsink(options):
    """The generator included."""
    path = f"{options.folder}/ours.pcap"
    return nanoseconds(options, generator(options, f"pcapsink|location={path}"))


def pcapsrc(options):
    """The sink included."""
    def line(count):
        path = f"{options.folder}/from-{count}.pcap"
        if not os.path.exists(path):
            launch(options, generator(options, f"pcapsink|location={path}")(count))
        return f"pcapsrc|location={path}|!|pcapsink|location=/dev/null"
    return nanoseconds(options, line)


def cpu_seconds(process):
    """Of testpmd's forwarding core."""
    for task in Path(f"/proc/{process.pid}/task").iterdir():
        if "worker" in (task / "comm").read_text():
            fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    raise RuntimeError("testpmd has no worker")


def testpmd(options, devices, most):
    """Nanoseconds per packet, while there are packets."""
    command = ["stdbuf", "-oL", "dpdk-testpmd", "--lcores", f"0@{CPU_LOAD},1@{CPU_DEVICE}", "--no-huge",
               "--no-pci", "-m", "512", "--no-telemetry", f"--file-prefix=captures{os.getpid()}",
               *(f"--vdev={device}" for device in devices), "--", "--forward-mode=io",
               "--no-mlockall", "--total-num-mbufs=16384", "--no-flush-rx"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    try:
        for line in process.stdout:
            if "Press enter" in line:
                break
        time.sleep(options.seconds)
        used = cpu_seconds(process)
        output = process.communicate("\n", timeout=20)[0]
    finally:
        stop(process)
    packets = max(int(n) for n in re.findall(r"[RT]X-packets: (\d+)", output))
    if packets == 0 or packets == most:
        raise RuntimeError(f"testpmd forwarded {packets} packets: use more --packets, less --seconds")
    return used / packets * 1e9


def testpmd_writes(options):
    path = f"{options.folder}/testpmd.pcap"
    return testpmd(options, (f"net_null0,size={options.size}", f"net_pcap0,tx_pcap={path}"), 0)


def testpmd_reads(options):
    packets = FEW + options.packets
    path = f"{options.folder}/from-{packets}.pcap"
    return testpmd(options, (f"net_pcap0,rx_pcap={path}", "net_null0"), packets)


ROWS = {"bpffilter alone": bpffilter, "packetgen ! pcapsink": pcapsink,
        "testpmd, net_null to net_pcap": testpmd_writes, "pcapsrc ! pcapsink to /dev/null": pcapsrc,
        "testpmd, net_pcap to net_null": testpmd_reads}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build", type=os.path.abspath)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--packets", type=int, default=10_000_000)
    parser.add_argument("--seconds", type=float, default=1, help="of testpmd")
    parser.add_argument("--folder", default="/dev/shm")
    options = parser.parse_args()
    rows = dict(ROWS)
    if os.geteuid() or not shutil.which("dpdk-testpmd"):
        print("without testpmd, which is not installed or needs root", file=sys.stderr)
        rows = {name: measure for name, measure in rows.items() if "testpmd" not in name}
    times = {name: [] for name in rows}
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="captures-") as options.folder:
        for _ in range(options.rounds):
            for name, measure in rows.items():
                times[name].append(measure(options))
                for written in ("ours.pcap", "testpmd.pcap"):
                    with contextlib.suppress(FileNotFoundError):
                        Path(options.folder, written).unlink()
    print(f"| {options.size} bytes | Mpps of a core | ns per packet, of {options.rounds} rounds |\n|---|--:|---|")
    for name, found in times.items():
        print(f"| {name} | {1e3 / statistics.median(found):.1f} | "
              f"{', '.join(f'{t:.0f}' for t in sorted(found))} |")


if __name__ == "__main__":
    sys.exit(main())
