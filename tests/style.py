#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""What clang-format does not check: headers of files, the form of comments and includes.

Names each line that is wrong, and ends with 1 if there is one.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CPP = (".cpp", ".hpp", ".h", ".c", ".in")
SOURCES = CPP + (".py", ".sh", ".supp")
NAMES = ("meson.build", "meson_options.txt", "run")
SPDX = re.compile(r"(//|#) SPDX-License-Identifier: LGPL-2\.1-or-later$")
COPYRIGHT = re.compile(r"(//|#) Copyright \(C\) (2026)(-\d{4})? The gst-memif developers$")
# Libraries and plugins are included from the root of the repository, by themselves as by others.
FROM_ROOT = ("gst/", "plugins/")


def sources():
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.is_file() and "corpus" not in path.parts and (
                path.suffix in SOURCES or path.name in NAMES):
            yield path


def header(lines):
    """The licence and the copyright come first, behind a #! line."""
    start = 1 if lines and lines[0].startswith("#!") else 0
    for number, form, what in ((start, SPDX, "SPDX"), (start + 1, COPYRIGHT, "copyright")):
        if number >= len(lines) or not form.match(lines[number]):
            yield number + 1, f"expected the {what} line"


def includes(path, lines):
    name = path.relative_to(ROOT).as_posix()
    for number, line in enumerate(lines, 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not found:
            continue
        bracket, file = found.groups()
        if bracket == "<" and name.startswith(FROM_ROOT) and (ROOT / file).is_file():
            yield number, f'expected "{file}" in quotes'
        if bracket == '"' and name.startswith(FROM_ROOT) and not (
                file.startswith(FROM_ROOT) or file == "config.h"):
            yield number, f'expected the path of "{file}" from the root of the repository'


def wrong(path):
    lines = path.read_text().splitlines()
    yield from header(lines)
    if path.suffix in CPP:
        yield from includes(path, lines)


def main():
    found = 0
    for path in sources():
        for number, message in wrong(path):
            print(f"{path.relative_to(ROOT)}:{number}: {message}")
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
