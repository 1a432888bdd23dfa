#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Batches in Python: the packets of a batch are read and written in an appsink and in a pad probe."""

import sys
import unittest

SKIPPED = 77

try:
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstApp", "1.0")
except (ImportError, ValueError) as error:
    print(f"skipped: {error} (python3-gi, gir1.2-gstreamer-1.0, gir1.2-gst-plugins-base-1.0)")
    sys.exit(SKIPPED)
try:
    gi.require_version("GstPacket", "1.0")
except ValueError as error:
    print(f"skipped: {error}; built without introspection (gobject-introspection, "
          "libgirepository1.0-dev)")
    sys.exit(SKIPPED)

from gi.repository import GLib, Gst, GstApp, GstPacket  # noqa: E402, F401

TIMEOUT = 20 * Gst.SECOND
CAPS = "application/x-packet,link-type=ethernet"


def make(*packets):
    return GstPacket.packet_batch_new_from_packets([GLib.Bytes.new(packet) for packet in packets])


def packets_of(batch):
    return [GstPacket.packet_batch_get_packet(batch, index).get_data()
            for index in range(GstPacket.packet_batch_get_n_packets(batch))]


class BatchTest(unittest.TestCase):
    """The functions."""

    def test_read_and_write(self):
        batch = make(b"one", b"", b"three")
        self.assertTrue(GstPacket.packet_batch_is_valid(batch))
        self.assertEqual(packets_of(batch), [b"one", b"", b"three"])
        self.assertTrue(GstPacket.packet_batch_append_packet(batch, b"four"))
        self.assertTrue(GstPacket.packet_batch_replace_packet(batch, 0, b"longer than before"))
        self.assertTrue(GstPacket.packet_batch_write_packet(batch, 2, 1, b"HR"))
        self.assertTrue(GstPacket.packet_batch_truncate_packet(batch, 3, 3))
        self.assertTrue(GstPacket.packet_batch_remove_packet(batch, 1))
        self.assertEqual(packets_of(batch), [b"longer than before", b"tHRee", b"fou"])
        self.assertEqual(batch.get_size(), 26)

    def test_map(self):
        batch = make(b"one", b"two")
        mapped, info = GstPacket.packet_batch_map_packet(batch, 1, Gst.MapFlags.READ)
        self.assertTrue(mapped)
        self.assertEqual(bytes(info.data), b"two")
        self.assertFalse(GstPacket.packet_batch_append_packet(batch, b"three"))
        GstPacket.packet_batch_unmap_packet(info)
        self.assertTrue(GstPacket.packet_batch_append_packet(batch, b"three"))

    def test_wrong_indexes_and_buffers(self):
        batch = make(b"one")
        for index in (1, 255, 0xffffffff):
            self.assertIsNone(GstPacket.packet_batch_get_packet(batch, index))
            self.assertFalse(GstPacket.packet_batch_write_packet(batch, index, 0, b"x"))
            self.assertFalse(GstPacket.packet_batch_map_packet(batch, index, Gst.MapFlags.READ)[0])
        other = Gst.Buffer.new_wrapped(b"one packet")
        self.assertIsNone(GstPacket.buffer_get_packet_batch_meta(other))
        self.assertFalse(GstPacket.packet_batch_is_valid(other))
        self.assertIsNone(GstPacket.packet_batch_get_packet(other, 0))
        self.assertFalse(GstPacket.packet_batch_append_packet(other, b"x"))

    def test_damaged(self):
        batch = make(b"one", b"two")
        meta = GstPacket.buffer_get_packet_batch_meta(batch)
        self.assertEqual(meta.n, 2)
        meta.n = GstPacket.PACKET_BATCH_MAX + 1
        self.assertFalse(GstPacket.packet_batch_is_valid(batch))
        self.assertEqual(packets_of(batch), [])
        self.assertIsNone(GstPacket.packet_batch_copy(batch, 0, 0))

    def test_times(self):
        batch = make(b"one", b"two")
        self.assertEqual(GstPacket.packet_batch_get_packet_pts(batch, 1), Gst.CLOCK_TIME_NONE)
        batch.pts = Gst.SECOND
        self.assertTrue(GstPacket.packet_batch_set_packet_pts(batch, 1, Gst.SECOND + 5))
        self.assertEqual(GstPacket.packet_batch_get_packet_pts(batch, 1), Gst.SECOND + 5)


class PipelineTest(unittest.TestCase):
    """Batches in pipelines."""

    def launch(self, description):
        pipeline = Gst.parse_launch(description)
        self.addCleanup(pipeline.set_state, Gst.State.NULL)
        return pipeline

    def sink_for_batches(self, pipeline):
        sink = pipeline.get_by_name("sink")
        self.assertNotEqual(GstPacket.pad_accept_packet_batches(sink.get_static_pad("sink")), 0)
        return sink

    def pull(self, sink):
        """The batch that the appsink got next; None after the last one."""
        sample = sink.try_pull_sample(TIMEOUT)
        self.assertTrue(sample is not None or sink.is_eos(), "nothing came in time")
        return sample and sample.get_buffer()

    def test_appsink(self):
        """Packets are read, changed and sent on by an application."""
        source = self.launch("packetgen count=600 size=100 ! appsink name=sink sync=false")
        target = self.launch(f"appsrc name=source caps={CAPS} format=time ! identity ! "
                             "appsink name=sink sync=false")
        taken, given = self.sink_for_batches(source), self.sink_for_batches(target)
        appsrc = target.get_by_name("source")
        for pipeline in (source, target):
            self.assertNotEqual(pipeline.set_state(Gst.State.PLAYING),
                                Gst.StateChangeReturn.FAILURE)
        packets = 0
        while (received := self.pull(taken)) is not None:
            before = packets_of(received)
            packets += len(before)
            self.assertTrue(all(len(packet) == 100 for packet in before))
            batch = GstPacket.packet_batch_make_writable(received)
            for index, packet in enumerate(before):
                self.assertTrue(GstPacket.packet_batch_write_packet(
                    batch, index, 0, packet[6:12] + packet[0:6]))
            self.assertTrue(GstPacket.packet_batch_replace_packet(batch, 0, before[0] + b"tail"))
            self.assertEqual(packets_of(received), before)
            self.assertEqual(appsrc.push_buffer(batch), Gst.FlowReturn.OK)
            after = packets_of(self.pull(given))
            self.assertEqual(after[0], before[0] + b"tail")
            self.assertEqual(after[1:], [packet[6:12] + packet[0:6] + packet[12:]
                                         for packet in before[1:]])
        self.assertEqual(packets, 600)

    def test_pad_probe(self):
        """What a probe changes is what arrives."""
        pipeline = self.launch("packetgen name=gen count=600 size=100 ! "
                               "appsink name=sink sync=false")
        sink = self.sink_for_batches(pipeline)
        passed = []

        def probe(pad, info):
            batch = GstPacket.packet_batch_copy(info.get_buffer(), 0, 0)
            for index, packet in enumerate(packets_of(batch)):
                GstPacket.packet_batch_replace_packet(batch, index, b"\x02" + packet[1:] + b"end")
                passed.append(packet)
            GstPacket.pad_probe_info_set_packet_batch(info, batch)
            return Gst.PadProbeReturn.OK

        pipeline.get_by_name("gen").get_static_pad("src").add_probe(
            Gst.PadProbeType.BUFFER, probe)
        pipeline.set_state(Gst.State.PLAYING)
        arrived = []
        while (received := self.pull(sink)) is not None:
            arrived += packets_of(received)
        self.assertEqual(len(arrived), 600)
        self.assertEqual(arrived, [b"\x02" + packet[1:] + b"end" for packet in passed])


if __name__ == "__main__":
    Gst.init(None)
    unittest.main()
