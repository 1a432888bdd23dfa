#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Runs the benchmarks side by side and writes report.md, report.json and plots.

Devices take turns (A B C A B C ...), so that a machine that drifts does so for all of them. Each
run starts its device anew and throws its warm-up away.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import plots
import report
from devices import CPU_DEVICE, CPU_LOAD, Gst, Limit, Setup, Testpmd, all_devices, libmemif, pinned
from measure import CONTENDED, Bench, stop

SIZES = ("64", "imix", "1500", "9000")
ROLES = ("slave", "master")
MODES = ("polling", "adaptive", "interrupt")
RETRIES = 2


@dataclass
class Cell:
    """One row of the report: a device and what it is asked to do."""

    section: str
    device: object
    setup: Setup
    load: tuple = ()
    label: str = ""

    @property
    def name(self):
        return self.label or self.device.name


def throughput(task, sizes, devices):
    return [Cell(task, device, Setup(task, size, role))
            for size in sizes for role in ROLES for device in devices]


def receive_modes(loadgen):
    """Idle round trips, and delay and cost of a packet at rates that leave a core mostly idle."""
    loads = [("idle round trip", role, ("--window=1", "--latency", "--gap=100")) for role in ROLES]
    loads += [(report.steady(rate), "slave", (f"--rate={rate}", "--latency", "--burst=32"))
              for rate in report.RATES]
    ours = [(Gst(), mode, f"gst-memif, {mode}") for mode in MODES]
    others = [(Testpmd("icmpecho"), "polling", ""), *((d, d.rx_mode, "") for d in libmemif())]
    cells = [Cell(section, device, Setup(role=role, rx_mode=mode), load, label)
             for section, role, load in loads
             for device, mode, label in [(Limit(loadgen), "polling", ""), *ours, *others]]
    cells += [Cell("receive modes", device, Setup(rx_mode=mode), (), label)
              for device, mode, label in ours]
    return cells


def scale(loadgen):
    cells = []
    for queues in (1, 2, 4, 8):
        cells.append(Cell("queues", Gst(), Setup(queues=queues), (), f"gst-memif, {queues}"))
        cells.append(Cell("queues", Limit(loadgen), Setup(queues=queues), (), f"limit, {queues}"))
    for count in (1, 4, 16, 64):
        setup = Setup(interfaces=count, rx_mode="interrupt")
        cells.append(Cell("interfaces", Gst(), setup, (), f"gst-memif, {count}, interrupt"))
    return cells


def sizes_of_links():
    """(name, setup): from the least to the most that a process can have of something."""
    def many(**what):
        return Setup(rx_mode="interrupt", **what)
    return [*((f"{n} interfaces", many(interfaces=n)) for n in (1, 16, 64, 255)),
            *((f"{n} interfaces, master", many(interfaces=n, role="master")) for n in (1, 255)),
            *((f"{n} queues", many(queues=n)) for n in (8, 64, 255)),
            ("rings of 16384", many(ring_size=16384)),
            ("buffers of 64 KB", many(least_buffer=65536))]


def loaded(cells, results, loadgen):
    """At half of what each one reached: only known after the throughput was measured."""
    out = []
    for device in (Limit(loadgen), Gst(), Testpmd("icmpecho")):
        rates = [report.median(r, "rx_pps") for c, r in zip(cells, results)
                 if c.section == "echo" and c.name == device.name and c.setup == Setup()]
        if rates and rates[0]:
            load = (f"--rate={rates[0] / 2:.0f}", "--latency", "--burst=32")
            out.append(Cell("round trip at half load", device, Setup(), load))
    return out


@dataclass
class Other:
    """Elements that are no memif peers, with the same payload on the same two cores."""

    name: str
    device: str
    counter: str  # with an element "count" at its end
    feeder: str = ""  # on the core of the counter, if that does not feed


SOURCE = "fakesrc sizetype=fixed sizemax={size} filltype=nothing ! "
COUNT = " ! fakesink name=count sync=false async=false"
# shmsink and shmsrc tell each other of every buffer through a socket. When it is full in both
# directions they wait for one another for ever; an area for fewer buffers fills before that.
SHM_BUFFERS = 128
SHM_SINK = "shmsink sync=false shm-size={{area}} socket-path={{dir}}/{}"
OTHERS = (
    Other("udpsrc ! udpsink",
          "udpsrc port=47001 ! udpsink host=127.0.0.1 port=47002 sync=false async=false",
          SOURCE + "udpsink host=127.0.0.1 port=47001 sync=false async=false "
          "udpsrc port=47002" + COUNT),
    Other("shmsrc ! shmsink",
          "shmsrc socket-path={dir}/a ! " + SHM_SINK.format("b"),
          "shmsrc socket-path={dir}/b" + COUNT,
          feeder=SOURCE + SHM_SINK.format("a")),
)


class Runner:
    def __init__(self, bench, options):
        self.bench, self.options = bench, options

    def once(self, cell):
        polls = cell.setup.rx_mode == "polling"
        for _ in range(RETRIES + 1):
            result = self.bench.run(cell.device, cell.setup, self.options.seconds,
                                    self.options.warmup, cell.load)
            share = result.get("cpu_share", 1)
            result["contended"] = polls and share < CONTENDED
            if not result["contended"]:
                break
        return result

    def rounds(self, cells):
        results = [[] for _ in cells]
        for number in range(self.options.rounds):
            for cell, runs in zip(cells, results):
                if runs and all("error" in run for run in runs) and number > 1:
                    continue  # it does not work, and why is known
                runs.append(self.once(cell))
                last = runs[-1]
                what = last.get("error") or f"{last['rx_pps'] / 1e6:.2f} Mpps"
                print(f"[{number + 1}/{self.options.rounds}] {cell.section} {cell.setup.size} "
                      f"{cell.setup.role} {cell.name}: {what}", file=sys.stderr, flush=True)
        return results

    def chain(self):
        command = pinned([str(self.bench.build / "tests/benchmarks/chain"), "100"])
        rounds = [json.loads(subprocess.run(command, capture_output=True, text=True, timeout=120,
                                            env=self.bench.environment).stdout)["points"]
                  for _ in range(self.options.rounds)]
        return report.slopes(rounds)

    def micro(self):
        program = self.bench.build / "tests/benchmarks/micro"
        if not program.exists():
            return {"error": "not built: Google Benchmark was not found"}
        out = subprocess.run(pinned([str(program), "--benchmark_format=json",
                                     "--benchmark_min_time=0.1"]),
                             capture_output=True, text=True, timeout=300).stdout
        return {b["name"]: b["cpu_time"] for b in json.loads(out)["benchmarks"]}

    def others(self):
        return [{"name": other.name, "size": size,
                 "runs": [self._other(other, size) for _ in range(self.options.rounds)]}
                for other in OTHERS for size in ("64", "1500")]

    def _other(self, other, size):
        for element in other.name.split(" ! "):
            if subprocess.run(["gst-inspect-1.0", "--exists", element]).returncode:
                return {"error": f"not run: {element} is not installed"}
        processes = []
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            words = {"size": size, "area": int(size) * SHM_BUFFERS, "dir": directory}

            def launch(cpu, description, socket):
                command = ["taskset", "-c", str(cpu), "gst-launch-1.0", "-q",
                           *description.format(**words).split()]
                processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL,
                                                  stderr=subprocess.DEVNULL))
                # What the next one connects to must be there.
                deadline = time.monotonic() + 1
                while time.monotonic() < deadline and not Path(directory, socket).is_socket():
                    time.sleep(0.02)

            try:
                if other.feeder:
                    launch(CPU_LOAD, other.feeder, "a")
                launch(CPU_DEVICE, other.device, "b")
                counter = ["taskset", "-c", str(CPU_LOAD),
                           str(self.bench.build / "tests/benchmarks/pipecount"),
                           str(self.options.seconds), str(self.options.warmup),
                           other.counter.format(**words)]
                run = subprocess.run(counter, capture_output=True, text=True, timeout=20)
                return json.loads(run.stdout.strip().splitlines()[-1])
            except (subprocess.TimeoutExpired, ValueError, IndexError):
                return {"error": "no result"}
            finally:
                for process in processes:
                    stop(process)

    def sizes_of_links(self):
        """One round more would say the same of all but the rate."""
        rows = []
        for name, setup in sizes_of_links():
            run = self.bench.run(Gst(), setup, seconds=0.5, warmup=0.3, look=True)
            what = run.get("error") or f"{run['rx_pps'] / 1e6:.2f} Mpps"
            print(f"size, {name}: {what}", file=sys.stderr, flush=True)
            rows.append({"name": name, **run})
        return rows

    def cores(self):
        """Queues on cores of their own, beside one; in turns."""
        cells = [(role, batch, queues) for role in ROLES for batch in (256, 32, 1)
                 for queues in sorted({1, 2, os.cpu_count()})]
        runs = {cell: [] for cell in cells}
        for _ in range(self.options.rounds):
            for role, batch, queues in cells:
                command = [str(self.bench.build / "tests/benchmarks/cores"), role, str(queues),
                           str(batch), str(self.options.seconds), "0.2"]
                runs[role, batch, queues].append(self._cores(command))
        return [{"role": role, "batch": batch, "queues": queues, "runs": runs[role, batch, queues]}
                for role, batch, queues in cells]

    def _cores(self, command):
        for _ in range(RETRIES + 1):
            out = subprocess.run(command, capture_output=True, text=True, timeout=60,
                                 env=self.bench.environment).stdout
            try:
                run = json.loads(out.strip().splitlines()[-1])
            except (ValueError, IndexError):
                run = {"error": "no result"}
            run["contended"] = run.get("cpu_share", 1) < CONTENDED
            if not run["contended"]:
                break
        print(f"cores, {' '.join(command[1:4])}: {run}", file=sys.stderr, flush=True)
        return run

    def comebacks(self):
        """From a program's start to the link, and from a peer's return to its first packet."""
        out = {}
        for role in ROLES:
            runs = [self.bench.comeback(Gst(), Setup(role=role, rx_mode="interrupt"))
                    for _ in range(self.options.rounds)]
            out[role] = runs
        return out


def machine():
    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text()
                  .splitlines() if line.startswith("model name")), "unknown")
    version = subprocess.run(["gst-launch-1.0", "--version"], capture_output=True, text=True).stdout
    commit = subprocess.run(["git", "-C", str(Path(__file__).parent), "rev-parse", "--short",
                             "HEAD"], capture_output=True, text=True).stdout.strip()
    return {"cpu": model, "cpus": os.cpu_count(), "kernel": platform.release(),
            "gstreamer": version.splitlines()[0].split()[-1] if version else "unknown",
            "commit": commit, "load_before": os.getloadavg()[0],
            "date": datetime.date.today().isoformat(), "device_cpu": CPU_DEVICE,
            "generator_cpu": CPU_LOAD}


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build", help="build directory (build)")
    parser.add_argument("--quick", action="store_true", help="64-byte echo only, 3 short rounds")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--warmup", type=float, default=1.0)
    parser.add_argument("--sizes", default=",".join(SIZES))
    parser.add_argument("--sections", default="echo,forward,modes,scale,cores,size,chain,micro,others,start")
    parser.add_argument("--priority", action="store_true",
                        help="take precedence over other programs of the machine (root)")
    parser.add_argument("--add-to", metavar="JSON",
                        help="keep what this earlier report has and this run does not measure")
    parser.add_argument("--doc", help="write tables and plots into this docs/performance.md too")
    options = parser.parse_args()
    if options.quick:
        options.sections, options.sizes = "echo", "64"
        options.rounds, options.seconds, options.warmup = 3, 0.5, 0.3
    return options


def main():
    options = parse_options()
    sections = options.sections.split(",")
    sizes = options.sizes.split(",")
    bench = Bench(options.build, options.priority)
    if not Path(bench.loadgen).exists():
        sys.exit(f"{bench.loadgen} is missing: build with meson first (-Dbuildtype=release)")
    output = bench.build / "benchmarks"
    output.mkdir(exist_ok=True)
    runner = Runner(bench, options)
    about = machine()
    devices = all_devices(bench.loadgen)
    cells = []
    for task in ("echo", "forward"):
        if task in sections:
            cells += throughput(task, sizes, devices[task])
    if "modes" in sections:
        cells += receive_modes(bench.loadgen)
    if "scale" in sections:
        cells += scale(bench.loadgen)
    results = runner.rounds(cells)
    if "modes" in sections:
        more = loaded(cells, results, bench.loadgen)
        results += runner.rounds(more)
        cells += more
    data = {"machine": about, "rounds": options.rounds, "seconds": options.seconds,
            "cells": [report.summary(cell, runs) for cell, runs in zip(cells, results)]}
    for name, function in (("cores", runner.cores), ("size", runner.sizes_of_links),
                           ("chain", runner.chain), ("micro", runner.micro),
                           ("others", runner.others), ("start", runner.comebacks)):
        if name in sections:
            data[name] = function()
    if options.add_to:
        data = report.merged(json.loads(Path(options.add_to).read_text()), data)
    (output / "report.json").write_text(json.dumps(data, indent=1))
    text = report.markdown(data)
    (output / "report.md").write_text("# Benchmarks\n\n" + text)
    drawn = plots.draw(data, output)
    if options.doc:
        report.write_into(Path(options.doc), text, drawn)
    print(text)


if __name__ == "__main__":
    main()
