# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""What all test cases share: a directory for sockets, skipping with a reason, waiting."""

import shutil
import tempfile
import unittest
from pathlib import Path

import pipeline


class InteropTest(unittest.TestCase):
    """A test with a short-pathed directory of its own; skipped where no pipeline can run."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        reason = cls.why_not()
        if reason:
            raise unittest.SkipTest(reason)
        cls.directory = tempfile.mkdtemp(prefix="memif-")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.directory, ignore_errors=True)

    @classmethod
    def why_not(cls):
        """Why the tests of this class cannot run here, or None."""
        return pipeline.missing()

    def socket(self, name="memif"):
        """A socket path unique to this test."""
        test = self.id().rsplit(".", 1)[-1][-40:]
        return f"{self.directory}/{test}.{name}"

    def wait_socket(self, path, timeout=pipeline.PATIENCE):
        """Waits until the path is bound."""
        pipeline.wait_for(Path(path).is_socket, timeout, f"a listener at {path}")


def opposite(role):
    """The role a peer needs to meet this one."""
    return {"slave": "master", "client": "master", "master": "slave", "server": "slave"}[role]
