#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Media on the network: iphost beside udpsink, udpsrc and the bare ring loop.

    datagrams.py [--build build] [--rounds 5] [--sections send,receive,loss,rtp] [--doc docs/performance.md]

Everything takes turns within a round. What is pushed is prepared, so that only the sending counts;
udpsink's rate is what it sent, ours is what arrived. Writes datagrams.json and datagrams.md.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import report
from devices import CPU_DEVICE, CPU_LOAD
from measure import stop
from run import machine

SIZE = 1400
PORT = 5004
UDP_PORT = 47010
FEEDER, FEEDER_MAC = "192.168.1.2", "02:00:c0:a8:01:02"
OURS, OURS_MAC = "192.168.1.1", "02:00:c0:a8:01:01"
UDP_BUFFER = 64 << 20   # the kernel grants net.core.rmem_max at the most
RING = 16384            # slots for RTP: a machine that is busy elsewhere stops a thread for milliseconds
FRAMES_PORT = 4789      # where the generator's frames go
RATES = (100_000, 200_000, 400_000, 1_000_000, 2_000_000, 3_000_000)
BEGIN, END = "<!-- datagrams: begin -->", "<!-- datagrams: end -->"

# 1920x1080, 60 pictures a second, two bytes per pixel.
PICTURE = "video/x-raw,format=UYVY,width=1920,height=1080,framerate=60/1"
RTP_CAPS = ("application/x-rtp,media=video,clock-rate=90000,encoding-name=RAW,sampling=YCbCr-4:2:2,"
            "depth=(string)8,width=(string)1920,height=(string)1080,colorimetry=BT709-2,payload=96")
PICTURE_BITS = 1920 * 1080 * 16
RTP_MTU = 1024          # some 250 000 packets a second


def opposite(role):
    return "master" if role == "slave" else "slave"


class Bench:
    """Starts the two programs of a run, each on its CPU, and reads their lines of JSON."""

    def __init__(self, build, options):
        self.build, self.options = Path(build).resolve(), options
        self.programs = self.build / "tests/benchmarks"
        self.environment = dict(os.environ, GST_PLUGIN_PATH=str(self.build / "plugins"),
                                GST_REGISTRY=str(self.build / "benchmarks/registry.bin"))

    def datagrams(self, mode, cpu=CPU_LOAD, netns=None, **settings):
        words = [str(self.programs / "datagrams"), f"--mode={mode}", f"--cpu={cpu}",
                 f"--size={SIZE}", "--timeout=8000"]
        words += [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()
                  if value is not True]
        words += [f"--{name}" for name, value in settings.items() if value is True]
        return (["ip", "netns", "exec", netns] if netns else []) + words

    def push(self, pad, description, seconds):
        return ["taskset", "-c", str(CPU_DEVICE), str(self.programs / "pushlists"),
                f"--size={SIZE}", f"--pad={pad}", f"--seconds={seconds}",
                f"--warmup={self.options.warmup}", description]

    def count(self, description, seconds, cpu=CPU_DEVICE):
        return ["taskset", "-c", str(cpu), str(self.programs / "pipecount"), str(seconds),
                str(self.options.warmup), description]

    def start(self, command):
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env=self.environment)

    @staticmethod
    def result(process, timeout):
        """The last line as JSON. Closing its input tells a counter that it is over."""
        try:
            out, err = process.communicate(timeout=timeout)
            return json.loads(out.strip().splitlines()[-1])
        except (subprocess.TimeoutExpired, ValueError, IndexError):
            stop(process)
            err = (process.stderr.read() if not process.stderr.closed else err).strip()
            return {"error": f"no result: {err.splitlines()[-1] if err else 'silence'}"}

    def pair(self, first, second, ready, timeout=60):
        """Both results; the second starts once `ready` says so."""
        a = self.start(first)
        b = None
        try:
            ready(a)
            b = self.start(second)
            results = self.result(b, timeout), self.result(a, timeout)
            return results[1], results[0]
        finally:
            for process in (a, b):
                if process:
                    stop(process)


def bound(port, host="127.0.0.1"):
    """Waits until something listens at a UDP port of this namespace or has ended."""
    packed = f"{port:04X}"

    def ready(process):
        end = time.monotonic() + 5
        while time.monotonic() < end and process.poll() is None:
            if any(line.split()[1].endswith(":" + packed)
                   for line in Path(f"/proc/{process.pid}/net/udp").read_text().splitlines()[1:]):
                return
            time.sleep(0.01)
    return ready


def at_once(_):
    pass


@contextlib.contextmanager
def veth():
    """A namespace behind a veth; its name and address. Needs root."""
    name = f"bench{os.getpid()}"
    here, there = f"bv{os.getpid() % 100000}", "veth1"

    def ip(*words):
        subprocess.run(["ip", *words], check=True, capture_output=True)
    ip("netns", "add", name)
    try:
        ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
        ip("addr", "add", "198.18.77.1/30", "dev", here)
        ip("link", "set", here, "up")
        ip("-n", name, "addr", "add", "198.18.77.2/30", "dev", there)
        ip("-n", name, "link", "set", there, "up")
        yield name, "198.18.77.2"
    finally:
        subprocess.run(["ip", "netns", "del", name], capture_output=True)


# What is measured. Each returns {"rx_pps" or "tx_pps": ..., ...} or {"error": ...}.

def memif_sink(socket, role):
    return f"memifsink socket-path={socket} role={role}"


def iphost_sending(socket, role):
    """An iphost without a way back in: the neighbour is known, so nothing needs to be asked."""
    return (f"iphost name=in address={OURS}/24 mac={OURS_MAC} "
            f"neighbours={FEEDER}={FEEDER_MAC} udp_sink_0::host={FEEDER} "
            f"udp_sink_0::port={PORT} in.src ! {memif_sink(socket, role)}")


def send_udp(bench, host, netns=None):
    seconds = bench.options.seconds
    count = bench.datagrams("count-udp", netns=netns, host=host, port=UDP_PORT, seconds=seconds,
                            warmup=bench.options.warmup)
    push = bench.push("sink", f"udpsink name=in host={host} port={UDP_PORT} sync=false async=false",
                      seconds + 0.2)

    counted, pushed = bench.pair(count, push, bound(UDP_PORT) if not netns else settle)
    if "error" in pushed:
        return pushed
    return {**pushed, "arrived_pps": counted.get("rx_pps"), "rx_pps": pushed["tx_pps"]}


def settle(_):
    time.sleep(0.3)


def send_memif(bench, role, bare=False):
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        socket = f"{directory}/s"
        seconds = bench.options.seconds
        count = bench.datagrams("count-memif", socket_path=socket, role=opposite(role),
                                seconds=seconds, warmup=bench.options.warmup)
        if bare:
            push = bench.datagrams("copy-memif", cpu=CPU_DEVICE, socket_path=socket, role=role,
                                   seconds=seconds + bench.options.warmup + 0.3)
        else:
            push = bench.push("udp_sink_0", iphost_sending(socket, role), seconds + 0.3)
        counted, pushed = bench.pair(count, push, at_once)
        if "error" in counted:
            return counted if "error" not in pushed else pushed
        return {**counted, "cpu_seconds": pushed.get("cpu_seconds"), "tx_pps": pushed.get("tx_pps")}


def udp_receiver():
    return f"udpsrc port={UDP_PORT} buffer-size={UDP_BUFFER} ! fakesink name=count sync=false async=false"


def iphost_receiver(socket, role, ring):
    return (f"memifsrc socket-path={socket} role={role} ring-size={ring} ! "
            f"iphost name=h address={OURS}/24 "
            f"mac={OURS_MAC} udp_src_0::port={FRAMES_PORT} "
            f"h.src ! {memif_sink(socket, role)} "
            "h.udp_src_0 ! fakesink name=count sync=false async=false")


def receive(bench, kind, rate=0, seconds=None):
    """The most that is received (rate 0), or what is lost at a rate."""
    options = bench.options
    seconds = seconds or options.seconds
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        socket = f"{directory}/s"
        whole = seconds + (options.warmup + 1.5 if rate == 0 else 0)
        if kind == "udpsrc":
            feed = bench.datagrams("feed-udp", port=UDP_PORT, rate=rate, seconds=whole,
                                   warmup=0.3)
            count = bench.count(udp_receiver(), seconds if rate == 0 else 0)
            ready = bound(UDP_PORT)
        else:
            ring = options.ring_size if rate else 1024
            feed = bench.datagrams("feed-memif", socket_path=socket, role=opposite(kind),
                                   rate=rate, seconds=whole, warmup=0.3, ring_size=ring)
            count = bench.count(iphost_receiver(socket, kind, ring),
                                seconds if rate == 0 else 0)
            ready = at_once
        counter = bench.start(count)
        feeder = None
        try:
            ready(counter)
            feeder = bench.start(feed)
            if rate == 0:
                result = bench.result(counter, 30)
                stop(feeder)
                return result
            fed = bench.result(feeder, 30)
            counted = bench.result(counter, 30)
        finally:
            for process in (counter, feeder):
                if process:
                    stop(process)
        if "error" in fed or "error" in counted:
            return fed if "error" in fed else counted
        offered = fed["sent"] + fed["full"]
        return {"offered": offered, "received": counted["received"], "full": fed["full"],
                "lost": offered - counted["received"], "fed_pps": fed["tx_pps"],
                "cpu_seconds": counted["cpu_seconds"]}


def rtp(bench, over, frames):
    """Raw video through stock elements, paced by its time stamps; CPU of both processes."""
    picture = ("videotestsrc num-buffers=1 pattern=smpte ! " + PICTURE +
               f" ! imagefreeze num-buffers={frames} ! " + PICTURE + f" ! rtpvrawpay mtu={RTP_MTU} ! ")
    depay = f" ! {RTP_CAPS} ! rtpvrawdepay name=rtp ! fakesink name=count sync=false async=false"
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        socket = f"{directory}/s"
        if over == "nothing":
            receiver, sender = None, picture + "fakesink sync=true async=false name=count"
        elif over == "udp":
            receiver = f"udpsrc port={UDP_PORT} buffer-size={UDP_BUFFER}" + depay
            sender = picture + f"udpsink host=127.0.0.1 port={UDP_PORT} name=count"
        else:
            both = f"socket-path={socket} ring-size={RING}"
            receiver = (f"iphost name=h address={FEEDER}/24 udp_src_0::port={PORT} "
                        f"memifsrc {both} role=master ! h.sink h.src ! memifsink {both} role=master "
                        "h.udp_src_0" + depay)
            sender = (f"iphost name=h address={OURS}/24 udp_sink_0::host={FEEDER} "
                      f"udp_sink_0::port={PORT} memifsrc {both} ! h.sink h.src ! memifsink {both} " +
                      picture + "clocksync name=count ! h.udp_sink_0")
        receiving = None
        if receiver:
            receiving = bench.start(bench.count(receiver, 0, cpu=CPU_LOAD))
            (bound(UDP_PORT) if over == "udp" else settle)(receiving)
        sending = bench.start(bench.count(sender, 0))
        try:
            # A closed input would end it before its time.
            code = sending.wait(frames / 60 + 60)
            sent = json.loads(sending.stdout.read())
            settle(None)
            got = (bench.result(receiving, 20) if receiving else
                   {"received": frames, "cpu_seconds": 0})
        except (subprocess.TimeoutExpired, ValueError):
            return {"error": "the sender did not end"}
        finally:
            for process in (sending, receiving):
                if process:
                    stop(process)
        if code or "error" in got:
            return {"error": got.get("error", f"the sender ended with {code}")}
        gigabits = frames * PICTURE_BITS / 1e9
        packets, arrived = sent["received"], got.get("rtp_packets", 0)
        return {"packets": packets, "frames": got["received"], "asked": frames,
                "lost": packets - arrived if receiving else 0, "gaps": got.get("rtp_lost", 0),
                "send_cpu": sent["cpu_seconds"] / gigabits,
                "receive_cpu": got["cpu_seconds"] / gigabits}


def turns(cells, rounds, say):
    """Rounds in which each cell has its turn; {name: [result, ...]}."""
    results = {name: [] for name, _ in cells}
    for number in range(rounds):
        for name, measure in cells:
            results[name].append(measure())
            say(f"[{number + 1}/{rounds}] {name}: {json.dumps(results[name][-1])}")
    return results


def cells_of(bench, section, netns, frames):
    if section == "send":
        cells = [("udpsink, loopback", lambda: send_udp(bench, "127.0.0.1"))]
        if netns:
            cells.append(("udpsink, veth", lambda: send_udp(bench, netns[1], netns[0])))
        for role in ("slave", "master"):
            cells.append((f"bare copy, {role}", lambda role=role: send_memif(bench, role, True)))
            cells.append((f"iphost, {role}", lambda role=role: send_memif(bench, role)))
        return cells
    kinds = ("udpsrc", "slave", "master")

    def label(kind):
        return kind if kind == "udpsrc" else f"iphost, {kind}"
    if section == "receive":
        return [(label(kind), lambda kind=kind: receive(bench, kind)) for kind in kinds]
    if section == "loss":
        return [(f"{label(kind)}, {rate}/s",
                 lambda kind=kind, rate=rate: receive(bench, kind, rate))
                for rate in RATES for kind in kinds]
    return [(over, lambda over=over: rtp(bench, over, frames)) for over in ("nothing", "udp", "memif")]


# The report.

def row(name, runs, key="rx_pps"):
    rates = report.values(runs, key)
    if not rates:
        return [name, runs[0].get("error", "-"), "", ""]
    return [name, f"**{report.mpps(statistics.median(rates))}**",
            f"{report.mpps(min(rates))} to {report.mpps(max(rates))}",
            f"{statistics.median(rates) * SIZE * 8 / 1e9:.1f}"]


def ratio_rows(data):
    send, got = data.get("send", {}), data.get("receive", {})
    wanted = (("slave", 15), ("master", 10))
    for role, least in wanted:
        ours = send.get(f"iphost, {role}", [])
        for name in ("udpsink, loopback", "udpsink, veth"):
            if value := report.paired(ours, send.get(name, [])):
                yield [f"iphost as {role} over {name}", f"{value:.1f}", least]
        if value := report.paired(ours, send.get(f"bare copy, {role}", [])):
            yield [f"iphost as {role} over the bare copy", f"{value:.2f}",
                   0.5 if role == "slave" else "-"]
        if value := report.paired(got.get(f"iphost, {role}", []), got.get("udpsrc", [])):
            yield [f"received, iphost as {role} over udpsrc", f"{value:.1f}", 10]


def loss_rows(results):
    for rate in RATES:
        cells = [f"{rate:,}".replace(",", " ")]
        for kind in ("udpsrc", "iphost, slave", "iphost, master"):
            runs = results.get(f"{kind}, {rate}/s", [])
            offered, lost = sum(report.values(runs, "offered")), sum(report.values(runs, "lost"))
            reached = report.median(runs, "fed_pps")
            text = "-" if not offered else f"{lost} ({100 * lost / offered:.2f} %)"
            if reached and reached < 0.95 * rate:
                text += f", fed at {reached:.0f}/s"
            cells.append(text)
        yield cells


def rtp_rows(results):
    alone = report.median(results.get("nothing", []), "send_cpu") or 0
    names = {"nothing": "no transport (payloader to fakesink)", "udp": "udpsink, udpsrc",
             "memif": "iphost over memif"}
    for over, runs in results.items():
        if not report.values(runs, "frames"):
            yield [names[over], runs[0].get("error"), "", "", "", "", ""]
            continue
        send, get = report.median(runs, "send_cpu"), report.median(runs, "receive_cpu")
        frames = f"{sum(report.values(runs, 'frames'))} of {sum(report.values(runs, 'asked'))}"
        lost = f"{sum(report.values(runs, 'lost'))} of {sum(report.values(runs, 'packets'))}"
        yield [names[over], frames, lost, f"{send:.3f}", f"{send - alone:.3f}", f"{get:.3f}",
               f"{send - alone + get:.3f}"]


def markdown(data):
    about = data["machine"]
    lines = [f"{about['date']}, commit {about['commit']}. {about['cpu']}, {about['cpus']} CPUs, "
             f"Linux {about['kernel']}, GStreamer {about['gstreamer']}; {data['rounds']} rounds of "
             f"{data['seconds']:g} s, all in turn; load of the machine before: "
             f"{about['load_before']:.1f}.", ""]
    head = (f"{SIZE}-byte datagrams", "Mpps, median", "min to max", "Gbit/s")
    for section, title in (("send", "Sent, in lists of 64 that are ready"),
                           ("receive", "Received, to a fakesink")):
        if section in data:
            lines += [f"### {title}", ""]
            lines += report.table(head, [row(*item) for item in data[section].items()])
    ratios = list(ratio_rows(data))
    if ratios:
        lines += ["### Ratios", "", "Medians of the ratios within a round.", ""]
        lines += report.table(("", "measured", "target"), ratios)
    if "loss" in data:
        lines += ["### Lost at a steady rate", "", f"Rings of {data['ring_size']} slots.", ""]
        lines += report.table(("datagrams/s", "udpsrc", "iphost, slave", "iphost, master"),
                              list(loss_rows(data["loss"])))
    if "rtp" in data:
        lines += [f"### 1080p60, 4:2:2, raw, over RTP: {data['frames']} pictures", "",
                  "CPU seconds per gigabit of pictures.", ""]
        lines += report.table(("transport", "pictures arrived", "packets lost", "sender, whole", "of it transport",
                               "receiver with depayloader", "sum without the payloader"),
                              list(rtp_rows(data["rtp"])))
    return "\n".join(lines)


def write_into(document, text):
    old = document.read_text()
    head, found, rest = old.partition(BEGIN)
    if not found:
        sys.exit(f"{document} has no line {BEGIN}")
    document.write_text("\n".join([head + BEGIN, "", text, END]) + rest.partition(END)[2])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--warmup", type=float, default=0.5)
    parser.add_argument("--frames", type=int, default=3600, help="pictures of the RTP section")
    parser.add_argument("--ring-size", type=int, default=RING,
                        help="slots at the steady rates of the loss section (%(default)s)")
    parser.add_argument("--sections", default="send,receive,loss,rtp")
    parser.add_argument("--priority", action="store_true",
                        help="take precedence over other programs of the machine (root)")
    parser.add_argument("--doc", help="write the tables into this docs/performance.md too")
    options = parser.parse_args()
    bench = Bench(options.build, options)
    if not (bench.programs / "datagrams").exists():
        sys.exit(f"{bench.programs}/datagrams is missing: build first (-Dbuildtype=release)")
    (bench.build / "benchmarks").mkdir(exist_ok=True)
    if options.priority:
        Path("/proc/self/autogroup").write_text("-20")     # of all programs started here
    data = {"machine": machine(), "rounds": options.rounds, "seconds": options.seconds,
            "frames": options.frames, "ring_size": options.ring_size}
    with contextlib.ExitStack() as stack:
        netns = stack.enter_context(veth()) if os.geteuid() == 0 else None
        for section in options.sections.split(","):
            rounds = options.rounds if section != "rtp" else 1
            data[section] = turns(cells_of(bench, section, netns, options.frames), rounds,
                                  lambda text: print(text, file=sys.stderr, flush=True))
    output = bench.build / "benchmarks"
    (output / "datagrams.json").write_text(json.dumps(data, indent=1))
    text = markdown(data)
    (output / "datagrams.md").write_text("# Datagrams\n\n" + text)
    if options.doc:
        write_into(Path(options.doc), text)
    print(text)


if __name__ == "__main__":
    main()
