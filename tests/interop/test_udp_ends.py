# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""memifudpsink and memifudpsrc between two processes: media over RTP with stock elements."""

import re
from pathlib import Path

import doc_commands
from base import InteropTest, opposite
from pipeline import Pipeline, properties, wait_for

SECONDS = 40
ENOUGH = 150 * 480 * 4    # bytes of sound, of two channels
HERE, THERE = "10.0.0.1", "10.0.0.2"
AUDIO = "audio/x-raw,format=S16BE,rate=48000,channels=2"
RTP_AUDIO = ("application/x-rtp,media=(string)audio,clock-rate=48000,encoding-name=(string)L16,"
             "channels=2,encoding-params=(string)2")
RTP_VIDEO = ("application/x-rtp,media=(string)video,clock-rate=90000,encoding-name=(string)VP8,"
             "payload=96")


class UdpEndsTest(InteropTest):
    @classmethod
    def why_not(cls):
        for element in ("memifudpsink", "iphost", "rtpL16pay", "rtpbin", "vp8enc"):
            if not doc_commands.exists(element):
                return f"there is no element {element}"
        return super().why_not()

    def link(self, role, address=None):
        given = {} if address is None else {"address": f"{address}/24"}
        return properties(socket_path=self.socket(), role=role, **given)

    def test_audio(self):
        """What arrives is what was sent, from the first sample that found the link up."""
        for role in ("slave", "master"):
            with self.subTest(role=role):
                sent, received = (Path(f"{self.directory}/{role}.{n}") for n in ("sent", "received"))
                receiver = (f"memifudpsrc {self.link(opposite(role), THERE)} caps=\"{RTP_AUDIO}\" ! "
                            f"rtpL16depay ! filesink location={received} buffer-mode=unbuffered")
                sender = (f"audiotestsrc is-live=true wave=white-noise "
                          f"samplesperbuffer=480 ! {AUDIO} ! tee name=t  t. ! queue ! "
                          f"filesink location={sent} async=false  t. ! queue ! rtpL16pay ! "
                          f"memifudpsink {self.link(role, HERE)} host={THERE}")
                with Pipeline(receiver):
                    with Pipeline(sender, ("-q", "-e")):    # ends with EOS
                        wait_for(lambda: received.exists() and received.stat().st_size >= ENOUGH,
                                 SECONDS, f"{ENOUGH} bytes")
                    whole = sent.read_bytes()
                    wait_for(lambda: whole.endswith(received.read_bytes()[-4800:]), SECONDS, "the end")
                part = received.read_bytes()
                self.assertTrue(whole.endswith(part), "lost or changed in between")
                self.assertGreaterEqual(len(part), ENOUGH)

    def test_rtpbin_both_ways(self):
        """RTP, and RTCP both ways, of one session: four elements of each process, one link."""
        a, b = self.link("slave"), self.link("master")
        sender = (f"rtpbin name=r videotestsrc is-live=true ! video/x-raw,width=64,height=48,"
                  f"framerate=30/1 ! vp8enc deadline=1 keyframe-max-dist=10 ! rtpvp8pay ! "
                  f"r.send_rtp_sink_0 "
                  f"r.send_rtp_src_0 ! memifudpsink {self.link('slave', HERE)} host={THERE} port=5004 "
                  f"r.send_rtcp_src_0 ! memifudpsink {a} host={THERE} port=5005 sync=false async=false "
                  f"memifudpsrc {a} port=5007 ! identity name=report silent=false ! "
                  f"r.recv_rtcp_sink_0")
        receiver = (f"rtpbin name=r memifudpsrc {self.link('master', THERE)} port=5004 "
                    f"caps=\"{RTP_VIDEO}\" ! r.recv_rtp_sink_0 "
                    f"r. ! rtpvp8depay ! vp8dec ! identity name=frame silent=false ! "
                    f"fakesink sync=false async=false "
                    f"memifudpsrc {b} port=5005 ! identity name=report silent=false ! "
                    f"r.recv_rtcp_sink_0 "
                    f"r.send_rtcp_src_0 ! memifudpsink {b} host={HERE} port=5007 sync=false async=false")
        with Pipeline(receiver, ("-v", "-m")) as there, Pipeline(sender, ("-v", "-m")) as here:
            def seen(pipe, name):
                return re.search(rf"GstIdentity:{name}: last-message = chain", pipe.output())
            wait_for(lambda: seen(there, "frame"), SECONDS, "a frame")
            wait_for(lambda: seen(there, "report"), SECONDS, "a sender report")
            wait_for(lambda: seen(here, "report"), SECONDS, "a receiver report")
            for pipe in (here, there):
                ups = re.findall(r"memif-link, link-up=\(boolean\)true", pipe.output())
                self.assertLessEqual(len(ups), 4, "each element tells of the one link once")
