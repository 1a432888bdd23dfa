// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The frames that the load generator sends, and what it accepts as their return.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace bench {

/** What a device under test does with a frame. */
enum class Task {
  echo,     ///< answers an ICMP echo request
  forward,  ///< sends it on as it is, or with its MAC addresses swapped
};

/** A cycle of frames: slot i of a ring always carries frame i modulo the cycle. */
class Frames {
 public:
  /** @p size bytes, 42 or more; 0: 7 of 64, 4 of 570 and 1 of 1518, mixed. */
  Frames(Task task, std::size_t size);

  std::size_t count() const noexcept { return frames_.size(); }
  std::span<const std::byte> at(std::size_t index) const noexcept { return frames_[index]; }
  std::size_t longest() const noexcept { return longest_; }
  /** Bytes per frame, on average. */
  double mean() const noexcept { return mean_; }

  /** Whether a frame of that length can be the return of one of ours. */
  bool length_right(std::size_t length) const noexcept {
    return frames_.size() == kSame ? length == longest_ : mixed_length_right(length);
  }
  /** Looks at every byte. */
  bool right(std::span<const std::byte> frame) const;
  /** Which frame of the cycle this is the return of. Looks at the sequence number alone. */
  std::optional<std::size_t> number(std::span<const std::byte> frame) const noexcept;

  static constexpr std::size_t kSame = 4;      ///< cycle of frames of one size
  static constexpr std::size_t kMix = 12;      ///< cycle of mixed sizes
  static constexpr std::size_t kTouched = 48;  ///< bytes at the start that a device may change

 private:
  bool mixed_length_right(std::size_t length) const noexcept;

  Task task_;
  std::vector<std::vector<std::byte>> frames_;
  std::size_t longest_ = 0;
  double mean_ = 0;
};

/** Makes the reply of an echo request in place; false if @p frame is none. Verifies nothing. */
bool turn_around(std::span<std::byte> frame) noexcept;

}  // namespace bench
