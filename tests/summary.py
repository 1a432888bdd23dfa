#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Counts what a meson test run did: every check of a libcheck program, not only the program.

    summary.py [--failed FILE] testlog.json

Meson shows the output of failed programs itself. The name of everything that failed is appended to
FILE, one a line. The last line here is `unit: N passed, N failed, N skipped`.
"""

import argparse
import json
import re

CHECKS = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)", re.MULTILINE)
# file:line:F:case:test:iteration: message
FAILURE = re.compile(r"^(\S+:\d+):[FE]:[^:\n]*:([^:\n]+):(\d+): ", re.MULTILINE)


def count(entry):
    """(passed, failed, skipped) of one program."""
    if entry["result"] == "SKIP":
        return 0, 0, 1
    runs = CHECKS.findall(entry.get("stdout", ""))
    total = sum(int(checks) for checks, _, _ in runs)
    bad = sum(int(failures) + int(errors) for _, failures, errors in runs)
    good = entry["result"] == "OK"
    if not good and bad == 0:
        bad, total = 1, total + 1
    if good and total == 0:
        total = 1
    return total - bad, bad, 0


def failures(entry):
    """A name for each failed check of one program; the program's own if it names none."""
    if count(entry)[1] == 0:
        return []
    name = entry["name"]
    checks = [f"{name}: {check}{f'[{number}]' if number != '0' else ''} ({place})"
              for place, check, number in FAILURE.findall(entry.get("stdout", ""))]
    return checks or [f"{name}: {entry['result']}, exit code {entry.get('returncode')}"]


def read(path):
    try:
        with open(path, encoding="utf-8") as log:
            return [json.loads(line) for line in log]
    except OSError as error:
        print(error)
        return []


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--failed", help="append the names of what failed to this file")
    parser.add_argument("log", help="meson's testlog.json")
    options = parser.parse_args()
    passed = failed = skipped = 0
    names = []
    entries = read(options.log)
    for entry in entries:
        good, bad, left_out = count(entry)
        passed, failed, skipped = passed + good, failed + bad, skipped + left_out
        names += failures(entry)
        if left_out:
            print(f"skipped {entry['name']}: {entry.get('stdout', '').strip()}")
    if not entries:
        print("no test ran")
        failed = 1
        names = ["no unit test ran"]
    if options.failed:
        with open(options.failed, "a", encoding="utf-8") as out:
            out.writelines(f"{name}\n" for name in names)
    print(f"unit: {passed} passed, {failed} failed, {skipped} skipped")


if __name__ == "__main__":
    main()
