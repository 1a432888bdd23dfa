#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""What style.py finds wrong, and what it does not."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import style  # noqa: E402

GOOD = """// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A sample.
 */
#pragma once

#include <vector>

#include "gst/memif/link.hpp"

/** A number. */
int number;  ///< in metres
// A remark; and a URL: https://example.org
"""


class StyleTest(unittest.TestCase):
    def found(self, text, name="gst/memif/sample.hpp"):
        return [message for _, message in style.wrong(name, text)]

    def test_good(self):
        self.assertEqual(self.found(GOOD), [])
        script = GOOD.replace("//", "#").split("/**", 1)[0]
        self.assertEqual(self.found("#!/bin/sh\n" + script, "tests/sample.sh"), [])

    def test_wrong(self):
        for old, new, expected in (
                ("// SPDX-License-Identifier: LGPL-2.1-or-later\n", "", "SPDX"),
                ("// Copyright (C) 2026 The gst-memif developers\n", "", "copyright"),
                ("LGPL-2.1-or-later", "MIT", "SPDX"),
                ("/** A number. */", "/// A number.", "instead of ///"),
                (" * @file\n * A sample.", " * @file A sample.", "a line of its own"),
                (" * @file\n", "", "what the header is for"),
                ('"gst/memif/link.hpp"', "<gst/memif/interface.hpp>", "in quotes"),
                ('"gst/memif/link.hpp"', '"link.hpp"', "from the root")):
            with self.subTest(new=new, expected=expected):
                messages = self.found(GOOD.replace(old, new, 1))
                self.assertTrue(any(expected in message for message in messages), messages)

    def test_fix_headers(self):
        for name, text in (("tests/sample.cpp", "int a;\n"), ("tests/sample.py", "import sys\n"),
                           ("tests/sample.sh", "#!/bin/sh\ntrue\n")):
            with self.subTest(name):
                self.assertNotEqual(self.found(text, name), [])
                fixed = style.fixed(name, text)
                self.assertEqual(self.found(fixed, name), [])
                self.assertEqual(style.fixed(name, fixed), fixed)

    def test_fix_comments(self):
        top = "".join(GOOD.splitlines(keepends=True)[:2])
        file_comment = "/**\n * @file\n * A\n * sample.\n */\n"
        for wrong, right in (
                ("//\n// A\n// sample.\n", file_comment),
                ("/** @file A\n * sample. */\n", file_comment),
                ("/**\n * @file A\n * sample.\n */\n", file_comment),
                ("/** @file A sample. */\n", "/**\n * @file\n * A sample.\n */\n"),
                ("int a;\n  /// One.\n  int b;  ///< b\n", "int a;\n  /** One. */\n  int b;  ///< b\n"),
                ("int a;\n/// One.\n///\n/// Two.\n", "int a;\n/**\n * One.\n *\n * Two.\n */\n")):
            with self.subTest(wrong):
                self.assertEqual(style.fixed("a.cpp", top + wrong), top + right)
                self.assertEqual(style.fixed("a.cpp", top + right), top + right)

    def test_other_directories_include_their_own_files_by_name(self):
        text = GOOD.replace('"gst/memif/link.hpp"', '"rig.hpp"')
        self.assertEqual(self.found(text, "tests/check/packet/sample.hpp"), [])


if __name__ == "__main__":
    unittest.main()
