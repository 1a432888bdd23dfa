# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""The documentation as data: the commands it shows, its code, and the text of gst-inspect-1.0.

    doc_commands.py --build DIR      writes what gst-inspect-1.0 says into docs/elements/*.md
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

import pipeline

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), ROOT / "examples/README.md",
         *sorted((ROOT / "docs").glob("**/*.md"))]
ELEMENTS = ("memifsrc", "memifsink", "memifudpsrc", "memifudpsink", "iphost", "icmpresponder",
            "ethbridge", "flowsplit", "packetgen", "packetcheck", "pcapsrc", "pcapsink",
            "bpffilter")
MEDIA = ROOT / "docs/media.md"
PROGRAMS = ("gst-launch-1.0", "dpdk-testpmd", "ip", "ffplay", "ffmpeg", "vlc", "vppctl")
COMMAND = re.compile(r"^(?:    |\| )?((?:gst-launch-1\.0|dpdk-testpmd|build/examples/\S+|"
                     r"\./(?:examples|tests)/\S+|meson) ?.*)$")


def indented_lines(text):
    """The lines of indented blocks, continuation lines joined, code blocks left out."""
    text = re.sub(r"```.*?```", "", text, flags=re.S).replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.startswith("    ")]


def indented(page):
    return indented_lines(page.read_text())


def commands(page):
    """The commands in the indented blocks of a page, continuation lines joined."""
    text = page.read_text().replace("\\\n", " ")
    return [" ".join(match.group(1).split()) for line in text.splitlines()
            if line.startswith("    ") and (match := COMMAND.match(line))]


def sections(page):
    """The commands of each section of docs/media.md, by title, continuation lines joined."""
    found = {}
    for part in re.split(r"^## ", page.read_text(), flags=re.M)[1:]:
        title, text = part.split("\n", 1)
        found[title] = [line for line in indented_lines(text) if line.split()[0] in PROGRAMS]
    return found


def code_blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.S)


def files(page):
    """The files that a page shows, by name: that is the last one in the paragraph before the code."""
    shown, name, code = {}, None, None
    for line in page.read_text().splitlines(keepends=True):
        if not line.startswith("```"):
            if code is not None:
                code.append(line)
            elif found := re.findall(r"`(\w+\.(?:cpp|c|py|build))`", line):
                name = found[-1]
        elif code is None:
            code = []
        else:
            if name:
                shown[name] = "".join(code)
            name, code = None, None
    return shown


def inspect(element):
    """What gst-inspect-1.0 says of an element, without what differs between machines."""
    shown = subprocess.run(["gst-inspect-1.0", "--no-colors", element], capture_output=True,
                           text=True, check=True, env=pipeline.environment()).stdout
    shown = re.sub(r"Plugin Details:\n.*?\n\n", "", shown, flags=re.S)
    shown = re.sub(r"^  Doc-uri .*\n", "", shown, flags=re.M)
    return "\n".join(line.rstrip() for line in shown.strip().splitlines())


def exists(element):
    return subprocess.run(["gst-inspect-1.0", element], capture_output=True,
                          env=pipeline.environment()).returncode == 0


def element_page(element):
    return ROOT / f"docs/elements/{element}.md"


def with_transcript(element):
    """The page of an element as it has to be: what it says by itself, and gst-inspect-1.0."""
    text = element_page(element).read_text().split("\n## gst-inspect-1.0", 1)[0].rstrip("\n")
    return f"{text}\n\n## gst-inspect-1.0\n\n```\n{inspect(element)}\n```\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    os.environ["MEMIF_BUILD"] = os.path.abspath(parser.parse_args().build)
    for element in filter(exists, ELEMENTS):
        element_page(element).write_text(with_transcript(element))


if __name__ == "__main__":
    sys.exit(main())
