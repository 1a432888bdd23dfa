# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Plots, drawn by gnuplot."""

import shutil
import subprocess

COLOURS = ("#888888", "#1b6ca8", "#5aa9e6", "#b3d4ee", "#d1495b", "#edae49", "#66a182")


def quoted(text):
    return '"' + str(text).replace('"', "'") + '"'


def gnuplot(script, path):
    head = (f"set terminal svg noenhanced size 900,420 dynamic background '#ffffff' font 'sans-serif,12'\n"
            f"set output {quoted(path)}\nset grid ytics lc rgb '#dddddd'\nset border 3\n"
            f"set tics nomirror\nset key outside right top\n")
    subprocess.run(["gnuplot"], input=head + script, text=True, check=True, timeout=60)


def rates(data, section, path):
    """Grouped bars: sizes and roles along the axis, a colour for each device."""
    cells = [c for c in data["cells"] if c["section"] == section]
    devices = [d for d in dict.fromkeys(c["device"] for c in cells)
               if any(c["device"] == d and c["rx_pps"] for c in cells)]
    groups = list(dict.fromkeys((c["size"], c["role"]) for c in cells))
    if not devices:
        return None
    by = {(c["size"], c["role"], c["device"]): c for c in cells}
    blocks = []
    for device in devices:
        lines = []
        for group in groups:
            c = by.get((*group, device))
            v = [x / 1e6 for x in (c["rx_pps"], c["min_pps"], c["max_pps"])] if (
                c and c["rx_pps"]) else [0, 0, 0]
            lines.append(f"{quoted(' '.join(group))} {v[0]} {v[1]} {v[2]}")
        blocks.append("$d%d << EOD\n%s\nEOD\n" % (len(blocks), "\n".join(lines)))
    plot = ", ".join(f"$d{i} using 2:3:4:xtic(1) title {quoted(d)} lc rgb "
                     f"'{COLOURS[i % len(COLOURS)]}'" for i, d in enumerate(devices))
    gnuplot("".join(blocks) + "set style data histograms\nset style histogram errorbars gap 1 "
            "lw 1\nset style fill solid\nset ylabel 'Mpps'\nset yrange [0:*]\nset xtics rotate "
            f"by -25\nset title {quoted(section + ', one core')}\nplot {plot}\n", path)
    return path


def chain(data, path):
    blocks, plot = [], []
    for i, c in enumerate(x for x in data["chain"] if x["batch"] > 1):
        blocks.append("$d%d << EOD\n%s\nEOD\n" % (i, "\n".join(f"{n} {ns}"
                                                             for n, ns in c["points"])))
        title = f"{c['batch']} packets per batch: {c['slope_ns']:.1f} ns per element"
        plot.append(f"$d{i} with linespoints lw 2 pt 7 title {quoted(title)}")
    gnuplot("".join(blocks) + "set xlabel 'pass-through elements'\nset ylabel 'ns per packet'\n"
            "set yrange [0:*]\nset key inside left top\nplot " + ", ".join(plot) + "\n", path)
    return path


def draw(data, directory):
    """The files that were drawn; none without gnuplot."""
    if not shutil.which("gnuplot"):
        print("no plots: gnuplot is not installed")
        return []
    out = [rates(data, section, directory / f"benchmark-{section}.svg")
           for section in ("echo", "forward")]
    if "chain" in data:
        out.append(chain(data, directory / "benchmark-chain.svg"))
    return [path for path in out if path]
