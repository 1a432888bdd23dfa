#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Runs the interop suite, or the modules, classes or tests named.

    run.py --build DIR [test_kill] [test_hostile.HostileSlaveTest.test_all] ...

Every subtest counts. The last line is `interop: N passed, N failed, N skipped`. Tests that wait most
of the time run beside the others, in processes of their own; what they say comes after the others.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
# These wait most of the time; each row has a process of its own.
WAITING = (("HostileSlaveTest",), ("HostileMasterTest", "RacingTest"))


class CountingResult(unittest.TextTestResult):
    """Counts subtests one by one and says at once how a test went and how long it took."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.good = self.bad = self.left_out = 0
        self.names = []

    def startTest(self, test):
        self.started, self.parts, self.broken = time.monotonic(), 0, False
        unittest.TestResult.startTest(self, test)

    def _say(self, test, word, detail=""):
        took = time.monotonic() - getattr(self, "started", time.monotonic())
        self.stream.writeln(f"{word:7} {test.id()} ({took:.1f} s){detail}")
        self.stream.flush()

    def addSuccess(self, test):
        self.good += not self.parts
        self._say(test, "ok", f" {self.parts} parts" if self.parts else "")

    def addSubTest(self, test, subtest, error):
        self.parts += 1
        if error is None:
            self.good += 1
        else:
            self._count_failure(subtest)
            unittest.TestResult.addSubTest(self, test, subtest, error)

    def _count_failure(self, test):
        self.bad += 1
        self.names.append(" ".join(test.id().split()))
        self._say(test, "FAILED")

    def _failed(self, test, error, add):
        self._count_failure(test)
        add(self, test, error)

    def addFailure(self, test, error):
        self._failed(test, error, unittest.TestResult.addFailure)

    def addError(self, test, error):
        self._failed(test, error, unittest.TestResult.addError)

    def addSkip(self, test, reason):
        self.left_out += 1
        unittest.TestResult.addSkip(self, test, reason)
        self._say(test, "skipped", f": {reason}")

    def addExpectedFailure(self, test, error):
        self.good += 1
        self._say(test, "known")

    def addUnexpectedSuccess(self, test):
        self._count_failure(test)
        unittest.TestResult.addUnexpectedSuccess(self, test)


def flat(suite):
    """The tests of a suite of suites."""
    for part in suite:
        yield from flat(part) if isinstance(part, unittest.TestSuite) else (part,)


def lanes(suite):
    """The tests of each process, in order: first of this one, then of those beside it."""
    found = [[] for _ in range(len(WAITING) + 1)]
    for test in flat(suite):
        lane = next((number for number, row in enumerate(WAITING, 1)
                     if type(test).__name__ in row), 0)
        found[lane].append(test)
    return [tests for tests in found if tests] or [[]]


class Beside:
    """Tests in another process, which has our environment."""

    def __init__(self, tests, failed):
        self.output = tempfile.TemporaryFile("w+")
        more = ["--failed", failed] if failed else []
        self.process = subprocess.Popen(
            [sys.executable, "-u", __file__, *more, *(test.id() for test in tests)],
            stdout=self.output, stderr=subprocess.STDOUT)

    def end(self):
        """What it said is printed: (passed, failed, skipped)."""
        self.process.wait()
        self.output.seek(0)
        text = self.output.read()
        ended = re.search(r"^interop: (\d+) passed, (\d+) failed, (\d+) skipped\n\Z", text, re.M)
        print(text[:ended.start()] if ended else text, end="", flush=True)
        return tuple(map(int, ended.groups())) if ended else (0, 1, 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", help="meson build directory whose elements are to be tested")
    parser.add_argument("--stand-in", action="store_true",
                        help="test the tests: a Python responder instead of pipelines")
    parser.add_argument("--asan", action="store_true", help="the build has AddressSanitizer")
    parser.add_argument("--kills", type=int, help="rounds of test_kill (100)")
    parser.add_argument("--failed", help="append the names of failed tests to this file")
    parser.add_argument("--directory", type=Path, default=HERE,
                        help="the tests in another directory, such as tests/peers")
    parser.add_argument("names", nargs="*", help="modules, classes or tests")
    options = parser.parse_args()
    if options.build:
        os.environ["MEMIF_BUILD"] = str(Path(options.build).resolve())
    for name, value in (("MEMIF_STAND_IN", options.stand_in), ("MEMIF_ASAN", options.asan),
                        ("MEMIF_KILLS", options.kills)):
        if value:
            os.environ[name] = str(int(value))
    directory = str(options.directory.resolve())
    sys.path[:0] = [directory, str(HERE)]
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromNames(options.names) if options.names else \
        loader.discover(directory, pattern="test_*.py", top_level_dir=directory)
    first, *others = lanes(suite)
    beside = [Beside(tests, options.failed) for tests in others]
    runner = unittest.TextTestRunner(sys.stdout, resultclass=CountingResult, verbosity=0)
    result = runner.run(unittest.TestSuite(first))
    failed = max(result.bad, len(result.failures) + len(result.errors))
    if options.failed:
        with open(options.failed, "a", encoding="utf-8") as out:
            out.writelines(f"{name}\n" for name in result.names)
    counts = [(result.good, failed, result.left_out), *(process.end() for process in beside)]
    good, failed, left_out = map(sum, zip(*counts))
    print(f"interop: {good} passed, {failed} failed, {left_out} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
