# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""A pipeline starts and stops again and again in one process, both ends of an interface in it.

An abstract name outlives its socket as long as some thread polls that: it must not be in the way.
"""

import subprocess

import pipeline
from base import InteropTest

ROUNDS = 30
PROGRAM = f"""
import gi, os, time
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
both = Gst.parse_launch(" ".join(
    f"memifsrc socket-path=@memif-restart-{{os.getpid()}} role={{role}} ! fakesink "
    f"fakesrc is-live=true num-buffers=1 sizetype=fixed sizemax=64 "
    f"! application/x-packet,link-type=ethernet "
    f"! memifsink socket-path=@memif-restart-{{os.getpid()}} role={{role}} when-down=block drain-timeout=60000000000"
    for role in ("master", "slave")))
ends = [element for element in both.iterate_elements() if element.find_property("link-up")]
bus = both.get_bus()
try:
    for turn in range({ROUNDS}):
        both.set_state(Gst.State.PLAYING)
        deadline = time.monotonic() + 60
        while not all(end.get_property("link-up") for end in ends):
            assert time.monotonic() < deadline, f"no link in round {{turn}}"
            trouble = bus.timed_pop_filtered(5 * Gst.MSECOND,
                                             Gst.MessageType.ERROR | Gst.MessageType.WARNING)
            assert not trouble, f"round {{turn}}: {{trouble.get_structure().to_string()}}"
        both.set_state(Gst.State.NULL)
finally:
    both.set_state(Gst.State.NULL)
print("done")
"""


LATE = PROGRAM[:PROGRAM.index("try:")] + """
both.set_state(Gst.State.READY)
time.sleep(0.5)
both.set_state(Gst.State.PLAYING)
told = set()
while len(told) < len(ends):
    message = bus.timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.ELEMENT)
    assert message, f"only {told} told of the link"
    news = message.get_structure()
    if news.get_name() == "memif-link" and news["link-up"]:
        assert message.src.name not in told, f"{message.src.name} told twice"
        told.add(message.src.name)
both.set_state(Gst.State.NULL)
print("done")
"""


class RestartTest(InteropTest):
    """Without a gap between two runs."""

    @classmethod
    def why_not(cls):
        return "the stand-in is no pipeline" if pipeline.stand_in() else super().why_not()

    def test_abstract_socket(self):
        self.run_program(PROGRAM)

    def test_late_element(self):
        """Sinks start in READY. Sources, which start later, tell of the link that is there."""
        self.run_program(LATE)

    def run_program(self, text):
        done = subprocess.run(["/usr/bin/python3", "-c", text], env=pipeline.environment(),
                              capture_output=True, text=True, timeout=300)
        self.assertEqual((done.returncode, done.stdout), (0, "done\n"), done.stderr[-3000:])
        self.assertNotRegex(done.stderr, pipeline.COMPLAINTS)
