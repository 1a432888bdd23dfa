# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Starts and stops pipelines in this process, to run under the leaks tracer.

    start_stop.py ROUNDS DESCRIPTION...

In each round all pipelines are made, run for up to 40 ms, which is before, while or after they find
each other, and stopped in turn.
"""

import gc
import random
import sys
import time

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402


def one_round(descriptions, dice):
    pipelines = [Gst.parse_launch(description) for description in descriptions]
    dice.shuffle(pipelines)
    for each in pipelines:
        each.set_state(Gst.State.PLAYING)
    time.sleep(dice.uniform(0, 0.04))
    dice.shuffle(pipelines)
    for each in pipelines:
        each.set_state(Gst.State.NULL)
        message = each.get_bus().pop_filtered(Gst.MessageType.ERROR)
        if message:
            sys.exit(message.parse_error()[0].message)


def main():
    rounds, descriptions = int(sys.argv[1]), sys.argv[2:]
    Gst.init(None)
    dice = random.Random(1)
    for _ in range(rounds):
        one_round(descriptions, dice)
    gc.collect()
    Gst.deinit()


main()
