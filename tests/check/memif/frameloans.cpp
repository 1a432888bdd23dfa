// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Pictures that are not copied: received where they lie, and written where they are sent from.
 */
#include <gst/video/video.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "frames.hpp"

using namespace memiftest;

namespace {

constexpr char kPicture[] =
    "video/x-raw,format=(string)GRAY8,width=(int)320,height=(int)200,framerate=(fraction)30/1";
constexpr std::size_t kLength = 320 * 200;
const std::string kRings = "ring-size=8 buffer-size=64000 ";

GstSample* pull_sample(const Pipeline& pipeline) {
  GstSample* sample =
      gst_app_sink_try_pull_sample(GST_APP_SINK(pipeline.element("out")), kPatienceNs);
  fail_unless(sample != nullptr, "no picture");
  return sample;
}

Bytes bytes_in(GstSample* sample) {
  return bytes_of(gst_sample_get_buffer(sample));
}

/** In one piece in the memory of the link. */
bool is_lent(GstBuffer* buffer) {
  return gst_buffer_n_memory(buffer) == 1 &&
         gst_memory_is_type(gst_buffer_peek_memory(buffer, 0), "MemifBuffer");
}

bool next_is_lent(const Pipeline& pipeline, const Bytes& expected) {
  GstSample* sample = pull_sample(pipeline);
  const bool lent = is_lent(gst_sample_get_buffer(sample));
  fail_unless(bytes_in(sample) == expected);
  gst_sample_unref(sample);
  return lent;
}

/** Samples that a test holds, with what was in them. */
class Kept {
 public:
  ~Kept() {
    for (const auto& [sample, bytes] : samples_) gst_sample_unref(sample);
  }
  void take(const Pipeline& pipeline, Bytes expected) {
    GstSample* sample = pull_sample(pipeline);
    fail_unless(bytes_in(sample) == expected);
    lent_ += is_lent(gst_sample_get_buffer(sample)) ? 1 : 0;
    samples_.emplace_back(sample, std::move(expected));
  }
  void expect_unchanged() const {
    for (const auto& [sample, bytes] : samples_) {
      expect(bytes_in(sample) == bytes, "a picture that is held changed");
    }
  }
  int lent() const { return lent_; }

 private:
  std::vector<std::pair<GstSample*, Bytes>> samples_;
  int lent_ = 0;
};

std::string raw(const std::string& more = "") {
  return kRings + "caps=" + kPicture + " " + more;
}

}  // namespace

// ---- Received -------------------------------------------------------------------------------

GST_START_TEST(test_a_picture_is_lent_in_one_piece) {
  for (const bool sink_is_slave : {true, false}) {
    Frames pair(kPicture, kRings + "any-caps=true", raw(), sink_is_slave);
    for (std::uint64_t i = 0; i < 50; ++i) {
      push(pair.out, packet(i, kLength));
      GstSample* sample = pull_sample(pair.in);
      GstBuffer* buffer = gst_sample_get_buffer(sample);
      fail_unless(is_lent(buffer) && bytes_of(buffer) == packet(i, kLength));
      fail_unless(GST_CLOCK_TIME_IS_VALID(GST_BUFFER_PTS(buffer)));
      // The peer's memory is not written to.
      GstMemory* memory = gst_buffer_peek_memory(buffer, 0);
      fail_unless_equals_int(GST_MEMORY_IS_READONLY(memory), sink_is_slave);
      gst_sample_unref(sample);
    }
    fail_unless_equals_uint64(pair.in.stat("src", "copies"), 0);
    fail_unless_equals_uint64(pair.in.stat("src", "packets"), 50);
    fail_unless_equals_uint64(pair.in.stat("src", "bytes"), 50 * kLength);
  }
}
GST_END_TEST

/** An element that acts upon what it reads twice must not read what the peer can change between. */
GST_START_TEST(test_what_is_lent_depends_on_caps_and_property) {
  for (const bool sink_is_slave : {true, false}) {
    for (const auto& [settings, lent] : std::vector<std::pair<std::string, bool>>{
             {raw(), true},
             {raw("lend-frames=never"), false},
             {kRings + "caps=video/x-vp8", false},
             {kRings + "caps=audio/x-raw,format=(string)S16LE,rate=8000,channels=1", true},
             {kRings + "caps=video/x-vp8 lend-frames=always", true},
             {kRings, false}}) {
      Frames pair(kPicture, kRings + "any-caps=true", settings, sink_is_slave);
      push(pair.out, packet(1, kLength));
      fail_unless(next_is_lent(pair.in, packet(1, kLength)) == lent, "%s", settings.c_str());
      // A short one is copied in any case, and the one behind it is long again.
      push(pair.out, packet(2, 16384));
      fail_if(next_is_lent(pair.in, packet(2, 16384)), "%s", settings.c_str());
      push(pair.out, packet(3, 16385));
      fail_unless(next_is_lent(pair.in, packet(3, 16385)) == lent, "%s", settings.c_str());
    }
  }
}
GST_END_TEST

/** From one byte less than a picture has to one byte more, and with many small buffers. */
GST_START_TEST(test_buffers_of_any_size) {
  for (const bool sink_is_slave : {true, false}) {
    for (const auto& [rings, in_one_buffer] :
         std::vector<std::pair<std::string, bool>>{{"ring-size=8 buffer-size=63999 ", false},
                                                   {"ring-size=8 buffer-size=64001 ", true},
                                                   {"ring-size=2 buffer-size=64000 ", true},
                                                   {"ring-size=64 buffer-size=2048 ", false},
                                                   {"ring-size=16384 buffer-size=4 ", false}}) {
      Frames pair(kPicture, rings + "any-caps=true", rings + "caps=" + kPicture, sink_is_slave);
      for (std::uint64_t i = 0; i < 5; ++i) {
        push(pair.out, packet(i, kLength));
        fail_unless(next_is_lent(pair.in, packet(i, kLength)) == in_one_buffer || i != 0, "%s",
                    rings.c_str());
      }
    }
  }
}
GST_END_TEST

/** Buffers of an odd number of cache lines lie next to each other. */
GST_START_TEST(test_a_chain_in_one_run_of_bytes) {
  const std::string rings = "ring-size=512 buffer-size=320 ";
  Frames pair(kPicture, rings + "any-caps=true", rings + "caps=" + kPicture, true);
  push(pair.out, packet(1, kLength));
  fail_unless(next_is_lent(pair.in, packet(1, kLength)));
  fail_unless_equals_uint64(pair.in.stat("src", "copies"), 0);
}
GST_END_TEST

GST_START_TEST(test_more_is_kept_than_may_be_lent) {
  for (const bool sink_is_slave : {true, false}) {
    Frames pair(kPicture, kRings + "any-caps=true", raw(), sink_is_slave);
    Kept kept;
    constexpr std::uint64_t kCount = 100;
    for (std::uint64_t i = 0; i < kCount; ++i) {
      push(pair.out, packet(i, kLength));
      kept.take(pair.in, packet(i, kLength));
    }
    kept.expect_unchanged();
    fail_unless(kept.lent() > 0 && kept.lent() < static_cast<int>(kCount));
    fail_unless_equals_uint64(pair.in.stat("src", "copies"),
                              kCount - static_cast<std::uint64_t>(kept.lent()));
    fail_unless_equals_uint64(pair.in.stat("src", "packets-dropped"), 0);
  }
}
GST_END_TEST

GST_START_TEST(test_kept_pictures_outlive_peer_and_pipeline) {
  for (const bool sink_is_slave : {true, false}) {
    Kept kept;
    {
      auto pair =
          std::make_unique<Frames>(kPicture, kRings + "any-caps=true", raw(), sink_is_slave);
      for (std::uint64_t i = 0; i < 3; ++i) {
        push(pair->out, packet(i, kLength));
        kept.take(pair->in, packet(i, kLength));
      }
      fail_unless_equals_int(kept.lent(), 3);
      pair->out.set(GST_STATE_NULL);
      fail_unless(pair->in.link_goes_down("src"));
      kept.expect_unchanged();
    }
    kept.expect_unchanged();
  }
  fail_unless(eventually([] { return memif_mappings() == 0; }));
}
GST_END_TEST

/** Elements cut buffers up without a copy, and keep the parts. */
GST_START_TEST(test_parts_of_a_picture) {
  for (const bool sink_is_slave : {true, false}) {
    Frames pair(kPicture, kRings + "any-caps=true", raw(), sink_is_slave);
    push(pair.out, packet(1, kLength));
    GstSample* sample = pull_sample(pair.in);
    GstBuffer* whole = gst_buffer_ref(gst_sample_get_buffer(sample));
    gst_sample_unref(sample);
    GstBuffer* part = gst_buffer_copy_region(whole, GST_BUFFER_COPY_ALL, 1000, 5000);
    GstBuffer* of_part = gst_buffer_copy_region(part, GST_BUFFER_COPY_ALL, 500, 100);
    gst_buffer_unref(part);
    gst_buffer_unref(whole);
    fail_unless(is_lent(of_part));
    const Bytes bytes = packet(1, kLength);
    // Others go through all buffers of the ring meanwhile.
    for (std::uint64_t i = 2; i < 40; ++i) {
      push(pair.out, packet(i, kLength));
      next_is_lent(pair.in, packet(i, kLength));
    }
    fail_unless(bytes_of(of_part) == Bytes(bytes.begin() + 1500, bytes.begin() + 1600));
    gst_buffer_unref(of_part);
  }
}
GST_END_TEST

/** The sink of the same interface exchanges buffers, but not under a part that somebody holds. */
GST_START_TEST(test_a_picture_is_sent_on) {
  for (const bool we_are_slave : {true, false}) {
    const std::string name = unique_socket();
    const std::string ours = we_are_slave ? slave_at(name) : master_at(name);
    const std::string theirs = we_are_slave ? master_at(name) : slave_at(name);
    Pipeline middle("memifsrc name=src " + raw() + ours +
                    "! identity name=identity ! memifsink name=sink any-caps=true" + ours);
    Pipeline in("memifsrc name=src " + raw() + theirs + kAppSink);
    Pipeline out(appsrc(kPicture) + "memifsink name=sink any-caps=true " + kRings + theirs);
    middle.set(GST_STATE_PLAYING);
    in.set(GST_STATE_PLAYING);
    out.set(GST_STATE_PLAYING);
    fail_unless(in.link_comes_up("src") && out.link_comes_up("sink") &&
                middle.link_comes_up("sink"));
    for (std::uint64_t i = 0; i < 30; ++i) {
      push(out, packet(i, kLength));
      next_is_lent(in, packet(i, kLength));
    }
    fail_unless_equals_uint64(middle.stat("src", "copies"), 0);
    fail_unless_equals_uint64(middle.stat("sink", "copies"), we_are_slave ? 0 : 30);

    struct Parts {
      std::mutex mutex;
      std::vector<GstBuffer*> parts;
    } held;
    GstPad* pad = gst_element_get_static_pad(middle.element("identity"), "src");
    gst_pad_add_probe(
        pad, GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad*, GstPadProbeInfo* info, gpointer data) {
          auto& into = *static_cast<Parts*>(data);
          const std::lock_guard lock(into.mutex);
          into.parts.push_back(gst_buffer_copy_region(GST_PAD_PROBE_INFO_BUFFER(info),
                                                      GST_BUFFER_COPY_ALL, 100, 200));
          return GST_PAD_PROBE_OK;
        },
        &held, nullptr);
    gst_object_unref(pad);
    for (std::uint64_t i = 0; i < 30; ++i) {
      push(out, packet(i, kLength));
      next_is_lent(in, packet(i, kLength));
    }
    middle.set(GST_STATE_NULL);
    fail_unless_equals_uint64(held.parts.size(), 30);
    for (std::uint64_t i = 0; i < 30; ++i) {
      const Bytes bytes = packet(i, kLength);
      fail_unless(bytes_of(held.parts[i]) == Bytes(bytes.begin() + 100, bytes.begin() + 300));
      gst_buffer_unref(held.parts[i]);
    }
  }
}
GST_END_TEST

// ---- Sent -----------------------------------------------------------------------------------

namespace {

std::string video(const std::string& format, int width, int height) {
  return "video/x-raw,format=(string)" + format + ",width=(int)" + std::to_string(width) +
         ",height=(int)" + std::to_string(height) + ",framerate=(fraction)30/1";
}

std::string painted(const std::string& caps) {
  return "videotestsrc pattern=ball num-buffers=20 ! " + caps + " ! ";
}

std::vector<Bytes> pictures(const std::string& caps) {
  Pipeline pipeline(painted(caps) + std::string(kAppSink).substr(3));
  pipeline.set(GST_STATE_PLAYING);
  std::vector<Bytes> all;
  for (int i = 0; i < 20; ++i) all.push_back(pull(pipeline).bytes);
  return all;
}

}  // namespace

/** Painted into shared memory as slave; the same pixels come out in any case. */
GST_START_TEST(test_a_picture_is_painted_where_it_is_sent_from) {
  // Sizes without padding, which nobody writes.
  for (const std::string& caps : {video("I420", 320, 240), video("Y42B", 328, 241),
                                  video("RGB", 332, 77), video("NV12", 64, 64)}) {
    const std::vector<Bytes> expected = pictures(caps);
    const std::size_t length = expected.front().size();
    for (const bool sink_is_slave : {true, false}) {
      for (const std::size_t size : {length - 1, length, length + 100}) {
        const std::string name = unique_socket();
        const std::string rings = "ring-size=8 buffer-size=" + std::to_string(size) + " ";
        Pipeline in("memifsrc name=src " + rings + "caps=" + caps +
                    (sink_is_slave ? master_at(name) : slave_at(name)) + kAppSink);
        in.set(GST_STATE_PLAYING);
        Pipeline out(painted(caps) + "memifsink name=sink any-caps=true when-down=block " + rings +
                     (sink_is_slave ? slave_at(name) : master_at(name)));
        // The link first, as the pool has other buffers before.
        out.set(GST_STATE_PAUSED);
        fail_unless(in.link_comes_up("src") && out.link_comes_up("sink"));
        out.set(GST_STATE_PLAYING);
        for (const Bytes& picture : expected) fail_unless(pull(in).bytes == picture);
        fail_unless_equals_uint64(out.stat("sink", "packets"), expected.size());
        if (!sink_is_slave || size < length) {
          fail_unless_equals_uint64(out.stat("sink", "copies"), expected.size());
        } else {
          // One was painted before there was a link.
          fail_unless(out.stat("sink", "copies") <= 1, "%d copies",
                      static_cast<int>(out.stat("sink", "copies")));
        }
      }
    }
  }
}
GST_END_TEST

/** Elements that were told of no GstVideoMeta use one nevertheless: the peer knows only the caps.
 */
GST_START_TEST(test_pictures_with_a_layout_of_their_own) {
  // Two planes of 64x4 and 64x2 bytes, in rows of 80 with a gap between the planes.
  const std::string caps = video("NV12", 64, 4);
  gsize offsets[GST_VIDEO_MAX_PLANES] = {16, 400};
  gint strides[GST_VIDEO_MAX_PLANES] = {80, 80};
  for (const bool sink_is_slave : {true, false}) {
    Frames pair(caps, kRings + "any-caps=true", kRings + "caps=" + caps, sink_is_slave);
    for (std::uint64_t i = 0; i < 10; ++i) {
      const Bytes expected = packet(i, 64 * 6);
      Bytes padded(600);
      for (std::size_t row = 0; row < 6; ++row) {
        const std::size_t at = row < 4 ? 16 + row * 80 : 400 + (row - 4) * 80;
        std::copy_n(expected.begin() + static_cast<std::ptrdiff_t>(row * 64), 64,
                    padded.begin() + static_cast<std::ptrdiff_t>(at));
      }
      GstBuffer* picture = buffer_of(padded);
      gst_buffer_add_video_meta_full(picture, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_NV12, 64,
                                     4, 2, offsets, strides);
      if (i % 2 == 0) {
        push(pair.out, picture);
      } else {
        GstBufferList* list = gst_buffer_list_new();
        gst_buffer_list_add(list, picture);
        gst_app_src_push_buffer_list(GST_APP_SRC(pair.out.element("in")), list);
      }
      fail_unless(pull(pair.in).bytes == expected);
    }
  }
}
GST_END_TEST

/** It would be shown, as something else. */
GST_START_TEST(test_pictures_of_another_size_than_the_caps_say) {
  for (const bool sink_is_slave : {true, false}) {
    Frames pair(kPicture, kRings + "any-caps=true", raw(), sink_is_slave);
    push(pair.out, packet(0, kLength));
    fail_unless(pull(pair.in).bytes == packet(0, kLength));
    fail_if(pair.in.has_message(GST_MESSAGE_WARNING));
    for (int i = 0; i < 3; ++i) {
      push(pair.out, packet(1, kLength - 320));
      fail_unless(pull(pair.in).bytes == packet(1, kLength - 320));
    }
    const std::string text = pair.in.text_of(GST_MESSAGE_WARNING);
    for (const char* word : {"63680", "64000", "caps"}) {
      fail_unless(text.find(word) != std::string::npos, "no '%s' in: %s", word, text.c_str());
    }
    fail_if(pair.in.has_message(GST_MESSAGE_WARNING));
  }
}
GST_END_TEST

namespace {

/** Whether an INFO message on the bus has @p word. */
bool is_told(const Pipeline& pipeline, const std::string& word) {
  GstBus* bus = gst_element_get_bus(pipeline.get());
  bool found = false;
  while (GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_INFO)) {
    GError* info = nullptr;
    gst_message_parse_info(message, &info, nullptr);
    found = found || std::string(info->message).find(word) != std::string::npos;
    g_error_free(info);
    gst_message_unref(message);
  }
  gst_object_unref(bus);
  return found;
}

}  // namespace

/** A loan lies in one region, so a slave with more than 4 GiB of buffers has none to lend. */
GST_START_TEST(test_too_much_memory_to_lend) {
  for (const auto& [settings, told] :
       std::vector<std::pair<std::string, bool>>{{"role=slave buffer-size=16000000", false},
                                                 {"role=slave buffer-size=17000000", true},
                                                 {"role=master buffer-size=17000000", false}}) {
    const std::string element = " ring-size=64 " + settings + " socket-path=" + unique_socket();
    for (const std::string& line :
         {"memifsrc" + element + " ! fakesink", "fakesrc ! memifsink" + element}) {
      Pipeline pipeline(line);
      pipeline.set(GST_STATE_PAUSED);
      fail_unless(is_told(pipeline, "4 GiB") == told, "%s", line.c_str());
    }
  }
}
GST_END_TEST

static Suite* frameloans_suite(void) {
  Suite* suite = suite_create("frameloans");
  TCase* tests = tcase_create("pictures");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_a_picture_is_lent_in_one_piece);
  tcase_add_test(tests, test_what_is_lent_depends_on_caps_and_property);
  tcase_add_test(tests, test_buffers_of_any_size);
  tcase_add_test(tests, test_a_chain_in_one_run_of_bytes);
  tcase_add_test(tests, test_more_is_kept_than_may_be_lent);
  tcase_add_test(tests, test_kept_pictures_outlive_peer_and_pipeline);
  tcase_add_test(tests, test_parts_of_a_picture);
  tcase_add_test(tests, test_a_picture_is_sent_on);
  tcase_add_test(tests, test_a_picture_is_painted_where_it_is_sent_from);
  tcase_add_test(tests, test_too_much_memory_to_lend);
  tcase_add_test(tests, test_pictures_with_a_layout_of_their_own);
  tcase_add_test(tests, test_pictures_of_another_size_than_the_caps_say);
  return suite;
}

GST_CHECK_MAIN(frameloans)
