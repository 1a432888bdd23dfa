#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Sends every frame back to its sender, until Ctrl-C. Usage: embed.py SOCKET"""
import signal
import sys
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402
Gst.init(None)
link = f"socket-path={sys.argv[1]}" if len(sys.argv) == 2 else sys.exit(__doc__)
pipeline = Gst.parse_launch(
    f"memifsrc {link} ! appsink name=sink sync=false async=false appsrc name=source "
    f"leaky-type=upstream caps=application/x-packet,link-type=ethernet ! memifsink {link}")
sink, source = map(pipeline.get_by_name, ("sink", "source"))
news = Gst.MessageType.INFO | Gst.MessageType.WARNING | Gst.MessageType.ERROR
pipeline.set_state(Gst.State.PLAYING)
failed, stopped = False, []
# A flag: unlike KeyboardInterrupt it cannot get lost inside a call.
signal.signal(signal.SIGINT, lambda *_: stopped.append(True))
while not failed and not stopped:
    if sample := sink.emit("try-pull-sample", Gst.SECOND // 10):
        frame = sample.get_buffer().extract_dup(0, sample.get_buffer().get_size())
        reply = frame[6:12] + frame[:6] + frame[12:]  # to the sender
        source.emit("push-buffer", Gst.Buffer.new_wrapped(reply))
    while message := pipeline.get_bus().pop_filtered(news):
        print(message.get_structure()["gerror"].message, flush=True)
        failed |= message.type == Gst.MessageType.ERROR
pipeline.set_state(Gst.State.NULL)
sys.exit(failed)
