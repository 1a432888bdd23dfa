# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Medians, tables and what they say about the targets."""

import shutil
import statistics

# Packets per second of the steady loads.
RATES = (10_000, 100_000, 1_000_000)
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"


def values(runs, key):
    return [run[key] for run in runs if "error" not in run and key in run]


def median(runs, key):
    found = values(runs, key)
    return statistics.median(found) if found else None


def paired(ours, theirs):
    """The median over the rounds of one rate over another: what a drift of the machine leaves."""
    ratios = [a["rx_pps"] / b["rx_pps"] for a, b in zip(ours, theirs)
              if a.get("rx_pps") and b.get("rx_pps")]
    return statistics.median(ratios) if ratios else None


def summary(cell, runs):
    row = {"section": cell.section, "device": cell.name, "size": cell.setup.size,
           "role": cell.setup.role, "rx_mode": cell.setup.rx_mode, "load": list(cell.load),
           "runs": runs}
    for key in ("rx_pps", "cpu_ns_per_packet", "cpu_share", "p50_ns", "p99_ns", "p999_ns",
                "to_link_ms"):
        row[key] = median(runs, key)
    rates = values(runs, "rx_pps")
    row["min_pps"], row["max_pps"] = (min(rates), max(rates)) if rates else (None, None)
    for key in ("lost", "wrong", "received"):
        row[key] = sum(values(runs, key))
    row["contended"] = sum(bool(run.get("contended")) for run in runs)
    errors = [run["error"] for run in runs if "error" in run]
    row["error"] = errors[0] if errors and not rates else None
    row["failed"] = len(errors)
    return row


def slopes(rounds):
    """By batch size: the median of each point, and nanoseconds per element by least squares."""
    out = []
    for batch in sorted({point["batch"] for point in rounds[0]}):
        points = {}
        for run in rounds:
            for point in run:
                if point["batch"] == batch:
                    points.setdefault(point["elements"], []).append(point["ns"])
        line = [(n, statistics.median(ns)) for n, ns in sorted(points.items())]
        mean_n = statistics.fmean(n for n, _ in line)
        mean_ns = statistics.fmean(ns for _, ns in line)
        slope = (sum((n - mean_n) * (ns - mean_ns) for n, ns in line) /
                 sum((n - mean_n) ** 2 for n, _ in line))
        out.append({"batch": batch, "points": line, "slope_ns": slope})
    return out


def merged(earlier, now):
    """What was measured now, and what only the earlier report has."""
    def key(cell):
        return tuple(str(cell[k]) for k in ("section", "device", "size", "role"))
    fresh = {key(cell) for cell in now["cells"]}
    out = {**earlier, **now}
    out.update({k: earlier[k] for k in ("machine", "rounds", "seconds")})
    out["cells"] = [c for c in earlier["cells"] if key(c) not in fresh] + now["cells"]
    return out


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(str(v) for v in row) + " |" for row in rows] + [""]


def mpps(value):
    return "-" if value is None else f"{value / 1e6:.2f}" if value >= 1e5 else f"{value / 1e6:.4f}"


def number(value, digits=1):
    return "-" if value is None else f"{value:.{digits}f}"


def microseconds(value):
    return "-" if value is None else f"{value / 1000:.2f}"


def rate_rows(rows):
    limits = {(r["size"], r["role"]): r["runs"] for r in rows if r["device"] == "limit"}
    for r in rows:
        if r["error"]:
            yield [r["size"], r["role"], r["device"], r["error"], "", "", "", "", ""]
            continue
        part = paired(r["runs"], limits.get((r["size"], r["role"]), []))
        note = []
        if r["contended"]:
            note.append(f"{r['contended']} runs on a busy machine")
        if r["failed"]:
            note.append(f"{r['failed']} runs failed")
        if r["wrong"]:
            note.append(f"{r['wrong']} wrong replies")
        yield [r["size"], r["role"], r["device"], f"**{mpps(r['rx_pps'])}**",
               f"{mpps(r['min_pps'])} to {mpps(r['max_pps'])}",
               "-" if not part else f"{100 * part:.0f} %",
               number(r["cpu_ns_per_packet"]), r["lost"], "; ".join(note)]


def steady(rate):
    return f"{rate:,} packets/s".replace(",", " ")


def latency_rows(rows):
    for r in rows:
        if r["error"]:
            yield [r["role"], r["device"], r["error"], "", "", "", "", "", ""]
            continue
        yield [r["role"], r["device"], mpps(r["rx_pps"]), microseconds(r["p50_ns"]),
               microseconds(r["p99_ns"]), microseconds(r["p999_ns"]),
               number(r["cpu_ns_per_packet"]), number(100 * (r["cpu_share"] or 0)) + " %",
               r["lost"]]


RATE_HEAD = ("bytes", "role", "device", "Mpps, median", "min to max", "of the limit",
             "CPU ns per packet", "lost", "notes")
def overview_rows(cells):
    """A row for each role and device that was measured under one of the latency loads."""
    loads = ("idle round trip", *(steady(rate) for rate in RATES))
    found = {}
    for r in cells:
        if r["section"] in loads and not r["error"]:
            found.setdefault((r["role"], r["device"]), {})[r["section"]] = r
    for (role, device), by_load in found.items():
        row = [role, device]
        for load in loads:
            r = by_load.get(load, {})
            row.append(f"{microseconds(r.get('p50_ns'))} / {microseconds(r.get('p99_ns'))}")
        yield row + [number(by_load.get(load, {}).get("cpu_ns_per_packet"), 0)
                     for load in loads[1:]]


OVERVIEW_HEAD = ("role", "device", "idle", *(steady(rate) for rate in RATES),
                 *(f"CPU ns, {steady(rate)}" for rate in RATES))
LATENCY_HEAD = ("role", "device", "Mpps", "p50 us", "p99 us", "p99.9 us", "CPU ns per packet",
                "share of its core", "lost")
WORDS = {
    "echo": "### Echo\n\nICMP echo requests in, replies out on the same interface.",
    "forward": "### Forward\n\nIn on one interface, out on another.",
    "receive modes": "### Receive modes, full load",
    "idle round trip": "### Round trip, idle\n\nOne packet at a time, 100 us of silence between.",
    **{steady(rate): f"### {steady(rate)}" for rate in RATES},
    "round trip at half load": "### Round trip at half of each device's own rate",
    "queues": "### Queues, one core",
    "interfaces": "### Interfaces, one core\n\nEach has its own pair of elements and thread.",
}


def markdown(data):
    about = data["machine"]
    lines = [f"{about['date']}, commit {about['commit']}. {about['cpu']}, {about['cpus']} CPUs, "
             f"Linux {about['kernel']}, GStreamer {about['gstreamer']}; device on CPU "
             f"{about['device_cpu']}, generator on CPU {about['generator_cpu']}; "
             f"{data['rounds']} rounds of {data['seconds']:g} s, devices taking turns; load of the "
             f"machine before: {about['load_before']:.1f}.", ""]
    for section, words in WORDS.items():
        rows = [r for r in data["cells"] if r["section"] == section]
        if not rows:
            continue
        lines += [words, ""]
        if section == "idle round trip":
            lines += ["Round trips, p50 / p99 in microseconds, and CPU time of the device for each "
                      "packet:", ""]
            lines += table(OVERVIEW_HEAD, overview_rows(data["cells"]))
        if "round trip" in section or "packets/s" in section:
            lines += table(LATENCY_HEAD, latency_rows(rows))
        else:
            lines += table(RATE_HEAD, rate_rows(rows))
    lines += rest(data)
    verdicts = list(targets(data))
    if verdicts:
        lines += ["### Targets", ""]
        lines += table(("target", "measured", "met"), verdicts)
    return "\n".join(lines)


def cores_rows(cells):
    ones = {(c["role"], c["batch"]): c["runs"] for c in cells if c["queues"] == 1}
    for c in cells:
        rate = median(c["runs"], "rx_pps")
        if rate is None:
            yield [c["role"], c["batch"], c["queues"], c["runs"][0].get("error"), "", "", ""]
            continue
        busy = sum(bool(run.get("contended")) for run in c["runs"])
        yield [c["role"], c["batch"], c["queues"], f"**{mpps(rate)}**",
               number(median(c["runs"], "cpu_ns_per_packet")),
               number(paired(c["runs"], ones[c["role"], c["batch"]]), 2),
               f"{busy} runs on a busy machine" if busy else ""]


def size_rows(rows):
    for r in rows:
        if "own_kb" not in r:
            yield [r["name"], r.get("error", "no figures"), "", "", "", "", "", "", ""]
            continue
        yield [r["name"], mpps(r["rx_pps"]), number(r["to_link_ms"], 0),
               number(r["to_first_ms"], 0), number(r["own_kb"] / 1024),
               number(r["shared_kb"] / 1024), r["descriptors"], r["threads"], r["mappings"]]


def rest(data):
    lines = []
    if "cores" in data:
        lines += ["### Queues on cores of their own", "",
                  "64-byte echo; the thread of a queue also plays the peer, so one queue needs one "
                  "core. The last figure is the rate over that of one queue.", ""]
        lines += table(("role", "packets per batch", "queues", "Mpps", "CPU ns per packet",
                        "times one queue", "notes"), cores_rows(data["cores"]))
    if "size" in data:
        lines += ["### Size", "",
                  "64-byte echo, interrupt mode, as slave if not said otherwise: the most that "
                  "the process held; packets went through every slot. To link: from the start of the "
                  "program until all links are up.", ""]
        lines += table(("", "Mpps", "to link, ms", "to the first reply on all, ms", "own MB",
                        "shared MB", "descriptors", "threads", "mappings"),
                       size_rows(data["size"]))
    if "chain" in data:
        lines += ["### One more element in the chain", ""]
        rows = [[c["batch"], *(f"{ns:.1f}" for _, ns in c["points"]), f"**{c['slope_ns']:.1f}**"]
                for c in data["chain"]]
        heads = [f"{n}" for n, _ in data["chain"][0]["points"]]
        lines += ["Nanoseconds per packet with that many pass-through elements.", ""]
        lines += table(("packets per batch", *heads, "ns per element"), rows)
    if "others" in data:
        lines += ["### Other elements, the same payload", ""]
        rows = [[o["name"], o["size"], mpps(median(o["runs"], "rx_pps")) if
                 median(o["runs"], "rx_pps") else o["runs"][0].get("error")]
                for o in data["others"]]
        lines += table(("elements", "bytes", "Mpps"), rows)
    if "start" in data:
        lines += ["### Start and return", ""]
        rows = []
        for role, runs in data["start"].items():
            rows.append([role, number(median(runs, "to_link_ms")),
                         number(median(runs, "return_ms"))])
        lines += table(("role", "start of the program to link, ms",
                        "return of the peer to first packet, ms"), rows)
    if "micro" in data and "error" not in data["micro"]:
        lines += ["### Parts", ""]
        rows = [[name, f"{ns:.2f}"] for name, ns in data["micro"].items()]
        lines += table(("part", "ns"), rows)
    elif "micro" in data:
        lines += ["### Parts", "", data["micro"]["error"], ""]
    return lines


def find(data, key, section, device, size="64", role="slave"):
    for r in data["cells"]:
        if (r["section"], r["device"], r["size"], r["role"]) == (section, device, size, role):
            return r[key]
    return None


def targets(data):
    """(what, measured, met) of each target whose two sides were measured in this run."""
    def ratio(what, ours, theirs, least):
        value = paired(ours or [], theirs or [])
        if value:
            yield what, f"{value:.2f}", "yes" if value >= least else "no"

    def below(what, ours, most):
        if ours is not None and most is not None:
            yield what, f"{ours:.1f} (at most {most:.1f})", "yes" if ours <= most else "no"

    for role in ("slave", "master"):
        def rate(section, device, size="64", role=role):
            return find(data, "runs", section, device, size, role)
        ours, free = "gst-memif", "gst-memif, verify-checksum=false"
        yield from ratio(f"{role}: 64 B echo, verified, over testpmd icmpecho, 2",
                         rate("echo", ours), rate("echo", "testpmd icmpecho"), 2)
        peer, limit = rate("echo", "testpmd icmpecho", "1500"), rate("echo", "limit", "1500")
        yield from ratio(f"{role}: 1500 B echo, not verified, over testpmd, 0.95",
                         rate("echo", free, "1500"), peer, 0.95)
        yield from ratio(f"{role}: 1500 B echo, not verified, over the limit, 0.95",
                         rate("echo", free, "1500"), limit, 0.95)
        yield from ratio(f"{role}: 1500 B echo, verified, over testpmd without, 1",
                         rate("echo", ours, "1500"), peer, 1)
        yield from ratio(f"{role}: 64 B forward over testpmd io, 2", rate("forward", ours),
                         rate("forward", "testpmd io"), 2)
        yield from ratio(f"{role}: 64 B forward over the limit, 0.7", rate("forward", ours),
                         rate("forward", "limit"), 0.7)
    idle = "idle round trip"
    yield from below("polling, idle p50 in ns, testpmd's",
                     find(data, "p50_ns", idle, "gst-memif, polling"),
                     find(data, "p50_ns", idle, "testpmd icmpecho"))
    yield from below("interrupt, idle p50 in ns, 38 us",
                     find(data, "p50_ns", idle, "gst-memif, interrupt"), 38000)
    for role in ("slave", "master"):
        for mode, theirs in (("interrupt", "libmemif icmp_responder"),
                             ("polling", "libmemif icmp_responder, polling")):
            yield from below(f"{role}: {mode}, idle p50 in ns, libmemif's",
                             find(data, "p50_ns", idle, f"gst-memif, {mode}", role=role),
                             find(data, "p50_ns", idle, theirs, role=role))
    yield from below("interrupt, CPU ns per packet at 100 000/s, testpmd's",
                     find(data, "cpu_ns_per_packet", "100 000 packets/s", "gst-memif, interrupt"),
                     find(data, "cpu_ns_per_packet", "100 000 packets/s", "testpmd icmpecho"))
    for chain in data.get("chain", ()):
        if chain["batch"] == 256:
            yield from below("one more element, ns per packet", chain["slope_ns"], 5)
    for other in data.get("others", ()):
        if other["name"].startswith("udp") and other["size"] == "64":
            yield from ratio("64 B forward over udpsrc ! udpsink, 50",
                             find(data, "runs", "forward", "gst-memif"), other["runs"], 50)


def write_into(document, text, drawn):
    """Replaces what is between the markers, and puts the plots beside the document."""
    images = []
    for path in drawn:
        shutil.copy(path, document.parent / path.name)
        images.append(f"![{path.stem}]({path.name})")
    old = document.read_text()
    head, _, rest_ = old.partition(BEGIN)
    _, _, tail = rest_.partition(END)
    block = "\n".join([BEGIN, "", *images, "", text, END])
    document.write_text(head + block + tail)
