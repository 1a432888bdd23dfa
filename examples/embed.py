#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Sends each frame of a memif interface back to its sender, until Ctrl-C: embed.py SOCKET"""
import signal
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import GLib, Gst, GstApp  # noqa: E402, F401


def on_frame(sink):
    buffer = sink.pull_sample().get_buffer()
    frame = buffer.extract_dup(0, buffer.get_size())
    return source.push_buffer(Gst.Buffer.new_wrapped(frame[6:12] + frame[0:6] + frame[12:]))


def on_message(_bus, message):
    news = message.get_structure()
    if message.type == Gst.MessageType.ERROR:
        print(message.parse_error()[0].message, file=sys.stderr)
        loop.quit()
    elif news and news.get_name() == "memif-link" and message.src.name == "in":
        print("link up with " + news["peer-name"] if news["link-up"] else "link down", flush=True)


Gst.init(None)
pipeline = Gst.parse_launch(
    f"memifsrc name=in socket-path={sys.argv[1]} ! appsink name=sink emit-signals=true sync=false "
    "async=false  appsrc name=source caps=application/x-packet,link-type=ethernet ! "
    f"memifsink socket-path={sys.argv[1]}")
source, loop = pipeline.get_by_name("source"), GLib.MainLoop()
pipeline.get_by_name("sink").connect("new-sample", on_frame)
pipeline.get_bus().add_signal_watch()
pipeline.get_bus().connect("message", on_message)
GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGINT, loop.quit)
pipeline.set_state(Gst.State.PLAYING)
loop.run()
pipeline.set_state(Gst.State.NULL)
