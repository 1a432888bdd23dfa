// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/likely_mistake.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <vector>

namespace {

struct Unref {
  void operator()(gpointer object) const { gst_object_unref(object); }
};
using ElementRef = std::unique_ptr<GstElement, Unref>;
using PadRef = std::unique_ptr<GstPad, Unref>;

GQuark quark() {
  return g_quark_from_static_string("gst-memif-end");
}

void free_end(gpointer end) {
  delete static_cast<MemifEnd*>(end);
}

/** Guards the copy against a change at the same time. */
std::mutex& ends_mutex() {
  static auto& mutex = *new std::mutex();
  return mutex;
}

/** False if the element is neither memifsrc nor memifsink, or has not started yet. */
bool find_end(GstElement* element, MemifEnd& end) {
  const std::lock_guard lock(ends_mutex());
  const auto* noted = static_cast<MemifEnd*>(g_object_get_qdata(G_OBJECT(element), quark()));
  if (noted != nullptr) end = *noted;
  return noted != nullptr;
}

template <class Take>
void for_each(GstIterator* iterator, Take take) {
  const auto call = [](const GValue* value, gpointer data) {
    (*static_cast<Take*>(data))(g_value_get_object(value));
  };
  while (gst_iterator_foreach(iterator, call, &take) == GST_ITERATOR_RESYNC) {
    gst_iterator_resync(iterator);
  }
  gst_iterator_free(iterator);
}

/** What is linked to @p pad, through the edges of bins. */
ElementRef element_behind(GstPad* pad) {
  PadRef peer(gst_pad_get_peer(pad));
  while (peer != nullptr && GST_IS_PROXY_PAD(peer.get())) {
    PadRef internal(GST_PAD_CAST(gst_proxy_pad_get_internal(GST_PROXY_PAD(peer.get()))));
    peer.reset(internal != nullptr ? gst_pad_get_peer(internal.get()) : nullptr);
  }
  return ElementRef(peer != nullptr ? gst_pad_get_parent_element(peer.get()) : nullptr);
}

/** All elements whose data can reach @p sink. */
std::vector<ElementRef> upstream_of(GstElement* sink) {
  std::vector<ElementRef> found;
  found.emplace_back(GST_ELEMENT_CAST(gst_object_ref(sink)));
  for (std::size_t i = 0; i < found.size(); ++i) {
    for_each(gst_element_iterate_sink_pads(found[i].get()), [&](gpointer pad) {
      ElementRef other = element_behind(GST_PAD_CAST(pad));
      if (other == nullptr || std::ranges::find(found, other) != found.end()) return;
      found.push_back(std::move(other));
    });
  }
  return found;
}

std::vector<MemifEnd> ends_of_pipeline(GstElement* element) {
  std::vector<MemifEnd> ends;
  ElementRef top(GST_ELEMENT_CAST(gst_object_ref(element)));
  while (GstObject* parent = gst_object_get_parent(GST_OBJECT_CAST(top.get()))) {
    top.reset(GST_ELEMENT_CAST(parent));
  }
  if (!GST_IS_BIN(top.get())) return ends;
  for_each(gst_bin_iterate_recurse(GST_BIN_CAST(top.get())), [&](gpointer child) {
    MemifEnd end;
    if (find_end(GST_ELEMENT_CAST(child), end)) ends.push_back(std::move(end));
  });
  return ends;
}

bool one_interface(const MemifEnd& a, const MemifEnd& b) {
  return a.socket_path == b.socket_path && a.id == b.id && a.master == b.master;
}

/** Whether the interface of @p end has no other direction than this in the pipeline. */
bool lonely(const MemifEnd& end, const std::vector<MemifEnd>& all) {
  return std::ranges::none_of(all, [&](const MemifEnd& other) {
    return other.sends != end.sends && one_interface(other, end);
  });
}

std::string role_mistake(const MemifEnd& source, const MemifEnd& sink) {
  const MemifEnd& slave = sink.master ? source : sink;
  const MemifEnd& master = sink.master ? sink : source;
  return slave.name + " connects to " + master.name + " of the same pipeline: they are the slave " +
         "and the master of one link, and no other peer can connect. Set role=master on both, to "
         "be two directions of one interface, or on neither.";
}

std::string forgotten(const MemifEnd& source, const MemifEnd& sink, const std::string& setting,
                      bool on_sink) {
  const MemifEnd& with = on_sink ? sink : source;
  const MemifEnd& without = on_sink ? source : sink;
  return setting + " of " + with.name + " is not set on " + without.name + ", which uses " +
         without.socket_path + " id " + std::to_string(without.id) +
         ". Set it on both if they are two directions of one interface.";
}

std::string mistake_between(const MemifEnd& source, const MemifEnd& sink,
                            const std::vector<MemifEnd>& all) {
  const bool same_path = source.socket_path == sink.socket_path;
  if (same_path && source.id == sink.id) {
    return source.master != sink.master ? role_mistake(source, sink) : std::string();
  }
  if (!lonely(source, all) || !lonely(sink, all)) return {};
  if (!same_path && source.path_given != sink.path_given) {
    return forgotten(source, sink, "socket-path=" + (sink.path_given ? sink : source).socket_path,
                     sink.path_given);
  }
  if (same_path && source.path_given && sink.path_given && source.id_given != sink.id_given) {
    return forgotten(source, sink, "id=" + std::to_string((sink.id_given ? sink : source).id),
                     sink.id_given);
  }
  return {};
}

}  // namespace

void note_memif_end(GstElement* element, MemifEnd end) {
  const std::lock_guard lock(ends_mutex());
  g_object_set_qdata_full(G_OBJECT(element), quark(), new MemifEnd(std::move(end)), free_end);
}

std::string likely_mistake(GstElement* sink) {
  MemifEnd own;
  if (!find_end(sink, own)) return {};
  const std::vector<MemifEnd> all = ends_of_pipeline(sink);
  for (const ElementRef& element : upstream_of(sink)) {
    MemifEnd source;
    if (!find_end(element.get(), source) || source.sends) continue;
    if (std::string mistake = mistake_between(source, own, all); !mistake.empty()) return mistake;
  }
  return {};
}
