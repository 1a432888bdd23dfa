#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""What run.sh says about tests that failed, on a tree where meson only pretends."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent
sys.path.insert(0, str(TESTS))
import summary  # noqa: E402


def entry(name, result, stdout="", returncode=1):
    return {"name": name, "result": result, "returncode": returncode, "stdout": stdout}


GOOD = entry("memif-rings", "OK", "Running suite(s): rings\n100%: Checks: 12, Failures: 0, "
             "Errors: 0\n", 0)
PLAIN = entry("memif-fuzz", "OK", "", 0)
BAD = entry("memif-ports", "FAIL", """Running suite(s): ports
81%: Checks: 11, Failures: 1, Errors: 1
../tests/check/memif/ports.cpp:81:F:general:test_wakes:0: Assertion 'a == b' failed: b == "x:1:F:y"
../tests/check/memif/ports.cpp:99:E:general:test_stops:3: (after this point) Received signal 11
""")
TIMEOUT = entry("packet-forms", "TIMEOUT", "", -15)
SKIPPED = entry("memif-huge", "SKIP", "no huge pages", 77)

MESON = """#!/bin/sh
case $1 in
  setup) [ "$2" != "$BROKEN" ] || { echo "$2 is broken"; exit 1; }
    mkdir -p "$2/meson-logs" && touch "$2/build.ninja" ;;
  test) shift; while [ "$1" != -C ]; do shift; done
    [ ! -f testlog.json ] || cp testlog.json "$2/meson-logs/" ;;
esac
"""

INTEROP = """
import unittest

class SampleTest(unittest.TestCase):
    def test_good(self):
        pass
    def test_bad(self):
        self.fail("on purpose")
    def test_broken(self):
        raise ValueError("on purpose")
    def test_parts(self):
        for part in ("first", "second"):
            with self.subTest(part):
                self.assertEqual(part, "first")
    @unittest.skip("on purpose")
    def test_skipped(self):
        pass
    @unittest.expectedFailure
    def test_surprise(self):
        pass
"""

# Named like one that has a process of its own.
BESIDE = """
import os, unittest

class FirstTest(unittest.TestCase):
    def test_process(self):
        print("first", os.getpid())

class RacingTest(unittest.TestCase):
    def test_good(self):
        print("beside", os.getpid())
    def test_bad(self):
        self.fail("on purpose")
"""


# Says what it was asked for, and ends as it was told to.
SUITE = """#!/bin/sh
echo "asked for: $*"
printf "$ENDING"
"""


class SummaryTest(unittest.TestCase):
    def test_counts(self):
        for sample, counted in ((GOOD, (12, 0, 0)), (PLAIN, (1, 0, 0)), (BAD, (9, 2, 0)),
                                (TIMEOUT, (0, 1, 0)), (SKIPPED, (0, 0, 1))):
            with self.subTest(sample["name"]):
                self.assertEqual(summary.count(sample), counted)

    def test_names(self):
        self.assertEqual(summary.failures(BAD), [
            "memif-ports: test_wakes (../tests/check/memif/ports.cpp:81)",
            "memif-ports: test_stops[3] (../tests/check/memif/ports.cpp:99)"])
        self.assertEqual(summary.failures(TIMEOUT), ["packet-forms: TIMEOUT, exit code -15"])
        for sample in (GOOD, PLAIN, SKIPPED):
            self.assertEqual(summary.failures(sample), [])


class RunTest(unittest.TestCase):
    """run.sh as a whole, in a tree of its own."""

    def setUp(self):
        self.tree = Path(tempfile.mkdtemp(prefix="gst-memif-run-"))
        self.addCleanup(shutil.rmtree, self.tree)
        for name in ("tests/run.sh", "tests/summary.py", "tests/interop/run.py"):
            (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TESTS.parent / name, self.tree / name)
        self.write("tests/interop/test_sample.py", INTEROP)
        self.write("bin/meson", MESON, 0o755)

    def write(self, name, text, mode=0o644):
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)

    def log(self, *entries):
        self.write("testlog.json", "".join(json.dumps(one) + "\n" for one in entries))

    def run_sh(self, *options, **more):
        """(lines of the output, exit code)"""
        env = dict(os.environ, **more, PATH=f"{self.tree}/bin:{os.environ['PATH']}")
        done = subprocess.run(["bash", "tests/run.sh", "--no-install", *options], cwd=self.tree,
                              env=env, capture_output=True, text=True, timeout=120)
        return done.stdout.splitlines(), done.returncode

    def test_good(self):
        self.log(GOOD, PLAIN, SKIPPED)
        lines, code = self.run_sh("--stage=plain")
        self.assertEqual(lines[-1], "14 passed, 0 failed, 1 skipped")  # one more: the build
        self.assertNotIn("Failed:", lines)
        self.assertEqual(code, 0)

    def test_failures_are_named_last(self):
        self.log(GOOD, BAD, TIMEOUT)
        lines, code = self.run_sh("--stage=plain", "--stage=interop")
        self.assertEqual(lines[-1], "25 passed, 7 failed, 1 skipped")
        self.assertEqual(lines[lines.index("Failed:"):-1], ["Failed:"] + [f"  {name}" for name in (
            "plain: memif-ports: test_wakes (../tests/check/memif/ports.cpp:81)",
            "plain: memif-ports: test_stops[3] (../tests/check/memif/ports.cpp:99)",
            "plain: packet-forms: TIMEOUT, exit code -15",
            "interop: test_sample.SampleTest.test_bad",
            "interop: test_sample.SampleTest.test_broken",
            "interop: test_sample.SampleTest.test_parts [second]",
            "interop: test_sample.SampleTest.test_surprise")])
        self.assertNotEqual(code, 0)

    def test_a_log_of_another_run_does_not_count(self):
        self.write("build/build.ninja", "")
        self.write("build/meson-logs/testlog.json", json.dumps(GOOD))
        lines, code = self.run_sh("--stage=plain")
        self.assertEqual(lines[-3:], ["Failed:", "  plain: no unit test ran",
                                      "1 passed, 1 failed, 0 skipped"])
        self.assertNotEqual(code, 0)

    def test_a_failed_build_and_interop_tests_that_do_not_end(self):
        self.write("tests/interop/run.py", "import sys\nsys.exit('on purpose')\n")
        lines, _ = self.run_sh("--stage=interop")
        self.assertEqual(lines[-3:], ["Failed:", "  interop: the interop tests did not end",
                                      "1 passed, 1 failed, 0 skipped"])
        self.write("bin/meson", "#!/bin/sh\nexit 1\n", 0o755)
        lines, _ = self.run_sh("--stage=interop")
        self.assertEqual(lines[-3:], ["Failed:", "  interop: the plain build",
                                      "0 passed, 1 failed, 0 skipped"])

    def test_builds_ahead(self):
        """What is built while tests run counts where it is needed, once, with what it said."""
        self.log(GOOD)
        stages = [f"--stage={name}" for name in ("plain", "asan", "tsan", "clang")]
        lines, code = self.run_sh(*stages, BROKEN="build-tsan")
        self.assertIn("  tsan: the build with ThreadSanitizer", lines[lines.index("Failed:"):])
        self.assertFalse([line for line in lines if line.endswith("the build with clang")])
        stage = [number for number, line in enumerate(lines) if line.startswith("==== ")]
        self.assertEqual([lines[number].split()[1] for number in stage],
                         ["plain", "asan", "tsan", "clang"])
        self.assertEqual([number for number, line in enumerate(lines)
                          if line == "build-tsan is broken"], [stage[2] + 1])
        self.assertEqual(code, 1)
        self.assertTrue((self.tree / "build-clang/build.ninja").exists())

    def test_processes_beside(self):
        self.write("tests/interop/test_sample.py", BESIDE)
        lines, _ = self.run_sh("--stage=interop")
        self.assertEqual(lines[-3:], ["Failed:", "  interop: test_sample.RacingTest.test_bad",
                                      "3 passed, 1 failed, 0 skipped"])
        (first,) = [line for line in lines if line.startswith("first ")]
        (beside,) = [line for line in lines if line.startswith("beside ")]
        self.assertNotEqual(first.split()[1], beside.split()[1])

    def test_stages_of_other_releases(self):
        self.write("tests/suite.sh", SUITE, 0o755)
        for stage, asked in (("suite:sid", "sid quick"), ("packages", "trixie packages"),
                             ("packages:sid", "sid packages"), ("cross:arm64", "trixie arm64"),
                             ("cross:arm64:sid", "sid arm64")):
            with self.subTest(stage):
                lines, code = self.run_sh(f"--stage={stage}", ENDING="4 passed, 0 failed, 1 skipped\n")
                self.assertIn(f"asked for: {asked}", lines)
                self.assertEqual((lines[-1], code), ("4 passed, 0 failed, 1 skipped", 0))
        for stage in ("packages:", "packagesque", "cross:mips", "cross:arm64:", "suite:"):
            with self.subTest(stage):
                self.assertEqual(self.run_sh(f"--stage={stage}"), ([], 2))

    def test_ends_of_other_releases(self):
        self.write("tests/suite.sh", SUITE, 0o755)
        reason = "suite sid is skipped: a chroot needs root"
        for ending, last in (
                (f"{reason}\n", [reason, "", "0 passed, 0 failed, 1 skipped"]),
                ("Failed:\n  the cross build\n2 passed, 1 failed, 0 skipped\n",
                 ["Failed:", "  suite:sid: the cross build", "2 passed, 1 failed, 0 skipped"]),
                ("E: it broke\n", ["Failed:", "  suite:sid: the run did not end",
                                   "0 passed, 1 failed, 0 skipped"])):
            with self.subTest(ending):
                lines, code = self.run_sh("--stage=suite:sid", ENDING=ending)
                self.assertEqual(lines[-len(last):], last)
                self.assertEqual(code, 1)


if __name__ == "__main__":
    unittest.main()
