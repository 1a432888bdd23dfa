# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""What tests of real peers share: links, packets there and back, the account of both sides."""

import contextlib
import re

import ping_app
import pipeline
from pipeline import Pipeline, properties

SIZES = (64, 590, 1500, 2048, 8000)
LOG = {"GST_DEBUG": "2,memif*:4"}


class Pinger(ping_app.Ping):
    """memifping, until it ends."""

    def program(self):
        return [str(ping_app.example("memifping"))]


def launch(description, arguments=("-m",)):
    """A pipeline that logs its links, so that a report shows our side too."""
    return Pipeline(description, arguments, LOG)


def linked(pipe, count=1):
    """Whether our side has had so many links; a responder's two elements tell of each."""
    ends = len(re.findall(r"memif(?:src|sink) ", pipe.description + " "))
    return pipe.output().count("link-up=(boolean)true") >= count * ends


def wait_link(pipe, timeout=20, count=1):
    """Until our side has its link, or another one."""
    def up():
        pipe.assert_alive()
        return linked(pipe, count)
    pipeline.wait_for(up, timeout, f"link {count}, as our side sees it ({pipe.description})")


@contextlib.contextmanager
def started(description):
    """A pipeline that may end by itself, gone at the end in any case."""
    pipe = launch(description)
    try:
        yield pipe
    finally:
        pipe.kill()
        pipe.log.close()


@contextlib.contextmanager
def both_sides(*parts):
    """Adds to any failure what each side says of itself: parts with account(), and pipelines."""
    try:
        yield
    except AssertionError as error:
        said = [part.account() if hasattr(part, "account") else
                f"gst-memif ({part.description}):\n{part.output()[-2000:]}" for part in parts]
        raise AssertionError("\n---- ".join([str(error), *said])) from None


def through(sending, receiving, size, count, generate=""):
    """A line that sends through a peer and ends with 0 if all packets come back whole."""
    return (f"packetgen size={size} count={count} rate=20kpps {generate} ! "
            f"memifsink {properties(when_down='block', **sending)} "
            f"memifsrc {properties(**receiving)} ! packetcheck count={count} timeout=30000")


def assert_arrive(test, line, peer, timeout=120):
    """That a line of through() ends well."""
    with started(line) as pipe, both_sides(peer, pipe):
        test.assertEqual(pipe.wait(timeout), 0, "packets did not come back whole")
        pipe.assert_silent()
