#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts what a meson test run did: every check of a libcheck program, not only the program.

    summary.py testlog.json

Meson shows the output of failed programs itself. The last line here is `unit: N passed, N failed,
N skipped`.
"""

import json
import re
import sys

CHECKS = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)", re.MULTILINE)


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


def main():
    passed = failed = skipped = 0
    try:
        with open(sys.argv[1], encoding="utf-8") as log:
            entries = [json.loads(line) for line in log]
    except OSError as error:
        print(error)
        entries = []
    for entry in entries:
        good, bad, left_out = count(entry)
        passed, failed, skipped = passed + good, failed + bad, skipped + left_out
        if left_out:
            print(f"skipped {entry['name']}: {entry.get('stdout', '').strip()}")
    if not entries:
        print("no test ran")
        failed = 1
    print(f"unit: {passed} passed, {failed} failed, {skipped} skipped")


main()
