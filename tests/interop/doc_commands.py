# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""The documentation as data: the commands it shows, its code, and the pages of the elements.

    doc_commands.py --build DIR      writes docs/elements/*.md anew

A page begins with the SECTION comment of the element's source and ends with what gst-inspect-1.0 says;
what is in between is written by hand.
"""

import argparse
import os
import re
import subprocess
import sys
import textwrap
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


def section_comment(element):
    """The lines of the SECTION comment of an element; none if it has no such comment."""
    for source in sorted((ROOT / "plugins").glob("*/*.[ch]pp")):
        found = re.search(rf"/\*\*\n \* SECTION:element-{element}\n(.*?)\n \*/", source.read_text(), re.S)
        if found:
            return [line[3:] for line in found[1].split("\n")]
    return []


def in_markdown(line, element):
    """A line of gtk-doc: properties and types as code, our elements as links."""
    line = re.sub(r"#[\w-]+:([\w-]+)", r"`\1`", line)

    def name(match):
        link = f"[{match[1]}]({match[1]}.md)"
        return link if match[1] in ELEMENTS and match[1] != element else f"`{match[1]}`"
    return re.sub(r"#(\w+)", name, line)


def filled(paragraph):
    return textwrap.fill(paragraph, 100, break_long_words=False, break_on_hyphens=False)


def introduction(element):
    """The beginning of a page, from the SECTION comment; None if there is none."""
    tags, shown, example = {}, [], None
    for line in section_comment(element):
        tag = re.match(r"@(\w+): (.*)|(Since): ", line)
        if tag:
            tags[tag[1] or tag[3]] = tag[2]
        elif line == "|[":
            example = []
        elif line.startswith("]|"):
            shown += ["", "    " + " \\\n      ".join(example), "", in_markdown(line[3:], element)]
            example = None
        elif example is not None:
            example.append(line)
        else:
            shown.append(in_markdown(line, element))
    if not tags:
        return None
    others = ", ".join(in_markdown(f"#{name}", element) for name in tags["see_also"].split(", "))
    text = "\n".join([f"# {element}", "", *shown, "", f"See also {others}."])
    blocks = re.split(r"\n{2,}", text)
    return "\n\n".join(block if block.startswith((" ", "- ")) else filled(block) for block in blocks) + "\n"


def whole_page(element):
    """The page of an element as it has to be."""
    text = element_page(element).read_text().split("\n## gst-inspect-1.0", 1)[0].rstrip("\n")
    begin = introduction(element)
    if begin:
        by_hand = [part for part in re.split(r"^(?=## )", text, flags=re.M)[1:]
                   if not part.startswith("## Example launch line")]
        text = f"{begin}\n{''.join(by_hand)}".rstrip("\n")
    return f"{text}\n\n## gst-inspect-1.0\n\n```\n{inspect(element)}\n```\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    os.environ["MEMIF_BUILD"] = os.path.abspath(parser.parse_args().build)
    for element in filter(exists, ELEMENTS):
        element_page(element).write_text(whole_page(element))


if __name__ == "__main__":
    sys.exit(main())
