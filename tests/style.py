#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""What clang-format does not check: headers of files, the form of comments and includes.

Names each line that is wrong, and ends with 1 if there is one. With --fix it puts right what can be
put right without thinking: missing headers of files, and the form of comments. Run clang-format
afterwards.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CPP = (".cpp", ".hpp", ".h", ".c", ".in")
SOURCES = CPP + (".py", ".sh", ".supp")
NAMES = ("meson.build", "meson_options.txt", "run")
LICENCE = "SPDX-License-Identifier: LGPL-2.1-or-later"
OWNER = "Copyright (C) 2026 The gst-memif developers"
SPDX = re.compile(rf"(//|#) {re.escape(LICENCE)}$")
COPYRIGHT = re.compile(r"(//|#) Copyright \(C\) (2026)(-\d{4})? The gst-memif developers$")
# Libraries and plugins are included from the root of the repository, by themselves as by others.
FROM_ROOT = ("gst/", "plugins/")
WIDTH = 100


def sources():
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.is_file() and "corpus" not in path.parts and (
                path.suffix in SOURCES or path.name in NAMES):
            yield name, path


def begins(lines):
    """The number of the line where the header begins: behind a #! line."""
    return 1 if lines and lines[0].startswith("#!") else 0


# ---- What is wrong ------------------------------------------------------------------------------

def header(lines):
    """The licence and the copyright come first."""
    start = begins(lines)
    for number, form, what in ((start, SPDX, "SPDX"), (start + 1, COPYRIGHT, "copyright")):
        if number >= len(lines) or not form.match(lines[number]):
            yield number + 1, f"expected the {what} line"


def comments(name, lines):
    for number, line in enumerate(lines, 1):
        if re.search(r"(^|\s)//[/!](?!<)", line):
            yield number, "expected /** ... */ instead of ///"
        if re.match(r"\s*(/\*)?\*+ @file\s+\S", line):
            yield number, "expected a line of its own for @file"
    if name.endswith(".hpp") and not any("@file" in line for line in lines):
        yield 3, "expected a comment with @file that says what the header is for"


def includes(name, lines):
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


def wrong(name, text):
    """The number and the fault of each line that is wrong in a file of this name."""
    lines = text.splitlines()
    yield from header(lines)
    if name.endswith(CPP):
        yield from comments(name, lines)
        yield from includes(name, lines)


# ---- What can be put right ----------------------------------------------------------------------

def block(indent, text):
    """A comment of these lines."""
    if len(text) == 1 and len(indent) + len(text[0]) + 7 <= WIDTH:
        return [f"{indent}/** {text[0]} */"]
    return [f"{indent}/**", *(f"{indent} * {line}".rstrip() for line in text), f"{indent} */"]


def run(lines, start, pattern):
    """The texts of consecutive lines that match, from one on, and the number of the next line."""
    texts = []
    while start < len(lines) and (found := re.fullmatch(pattern, lines[start])):
        texts.append(found.group(1) or "")
        start += 1
    return texts, start


def fix_header(lines, mark):
    start = begins(lines)
    if start >= len(lines) or not SPDX.match(lines[start]):
        lines.insert(start, f"{mark} {LICENCE}")
    if start + 1 >= len(lines) or not COPYRIGHT.match(lines[start + 1]):
        lines.insert(start + 1, f"{mark} {OWNER}")


def fix_comments(lines):
    out = lines[:2]
    at = 2
    text, end = run(lines, at, r"//(?: (.*))?")
    while text and not text[0]:
        del text[0]
    if text:
        out += block("", ["@file", *text])
        at = end
    while at < len(lines):
        line = lines[at]
        if found := re.match(r"(\s*)///(?!<)", line):
            text, at = run(lines, at, found.group(1) + r"///(?!<) ?(.*)")
            out += block(found.group(1), text)
        elif found := re.fullmatch(r"/\*\* @file (.+?) \*/", line):
            out += block("", ["@file", found.group(1)])
            at += 1
        elif found := re.fullmatch(r"(/\*\*| \*) @file (\S.*)", line):
            out += ["/**"] if found.group(1) == "/**" else []
            out += [" * @file", f" * {found.group(2)}"]
            at += 1
            if found.group(1) == "/**" and at < len(lines) and lines[at].endswith(" */") and \
                    lines[at].strip() != "*/":
                out += [lines[at][:-3], " */"]
                at += 1
        else:
            out.append(line)
            at += 1
    return out


def fixed(name, text):
    lines = text.split("\n")
    cpp = name.endswith(CPP)
    fix_header(lines, "//" if cpp else "#")
    return "\n".join(fix_comments(lines) if cpp else lines)


def main():
    found = 0
    for name, path in sources():
        text = path.read_text()
        if sys.argv[1:] == ["--fix"] and fixed(name, text) != text:
            text = fixed(name, text)
            path.write_text(text)
        for number, message in wrong(name, text):
            print(f"{name}:{number}: {message}")
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
