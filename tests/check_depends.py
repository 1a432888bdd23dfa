#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Meson knows what the tests of a build directory load, so that it builds that before one test alone."""

import json
import sys
import unittest
from pathlib import Path

BUILD = Path(sys.argv.pop(1)).resolve()


def introspected(what):
    return json.loads((BUILD / "meson-info" / f"intro-{what}.json").read_text(encoding="utf-8"))


class DependsTest(unittest.TestCase):
    def test_plugins_in_the_path(self):
        folder = BUILD / "plugins"
        plugins = {target["id"] for target in introspected("targets")
                   if target["type"] in ("shared library", "shared module")
                   and folder in Path(target["filename"][0]).parents}
        self.assertTrue(plugins)
        loading = [test for test in introspected("tests")
                   if str(folder) in test["env"].get("GST_PLUGIN_PATH_1_0", "").split(":")]
        self.assertTrue(loading)
        for test in loading:
            with self.subTest(test["name"]):
                self.assertLessEqual(plugins, set(test["depends"]))


if __name__ == "__main__":
    unittest.main()
