#include "tests/ptx/interpreter/shadow.hpp"

namespace lockstep::ptx {

static constexpr unsigned lanes_of_warp = 32;

static bool same_warp(const Stamp& a, const Stamp& b) { return a.thread / lanes_of_warp == b.thread / lanes_of_warp; }

static bool in_order(const Stamp& then, const Stamp& now) {
  if (then.block != now.block || then.several_blocks != 0) return false;
  if (then.epoch != now.epoch) return true;
  if (then.several_warps != 0 || !same_warp(then, now)) return false;
  return then.sync != now.sync || (then.several_lanes == 0 && then.thread == now.thread);
}

// The reader that `reader` and `now` together leave behind.
static Stamp joined(const Stamp& reader, const Stamp& now) {
  Stamp made = now;
  made.several_blocks = reader.several_blocks | static_cast<unsigned>(reader.block != now.block);
  if (reader.block != now.block || reader.epoch != now.epoch) return made;
  made.several_warps = reader.several_warps | static_cast<unsigned>(!same_warp(reader, now));
  if (reader.sync == now.sync) {
    made.several_lanes = reader.several_lanes | static_cast<unsigned>(reader.thread != now.thread);
  }
  return made;
}

Conflict Shadow::touch(std::size_t offset, std::size_t bytes, Touch how, const Stamp& now, std::uint64_t since,
                       std::uint64_t& fresh) {
  if (unit_ != 1 && (bytes % unit_ != 0 || offset % unit_ != 0)) split_words();
  for (std::size_t i = offset / unit_; i < (offset + bytes) / unit_; ++i) {
    auto& [writer, reader] = stamps_[i];
    const bool written = writer.block >= since;
    const bool read = reader.block >= since;
    if (written && !in_order(writer, now) && (writer.atomic == 0 || now.atomic == 0)) return {true, true, writer};
    if (how == Touch::write) {
      if (read && !in_order(reader, now)) return {true, false, reader};
      if (!written) fresh += unit_;
      writer = now;
    } else {
      if (!read) fresh += unit_;
      reader = read ? joined(reader, now) : now;
    }
  }
  return {};
}

bool Shadow::was_written(std::size_t offset, std::size_t bytes, std::uint64_t since) {
  if (unit_ != 1 && (bytes % unit_ != 0 || offset % unit_ != 0)) split_words();
  for (std::size_t i = offset / unit_; i < (offset + bytes) / unit_; ++i) {
    if (stamps_[i].writer.block < since) return false;
  }
  return true;
}

void Shadow::split_words() {
  std::vector<Pair> of_bytes;
  of_bytes.reserve(stamps_.size() * unit_);
  for (const Pair& each : stamps_) of_bytes.insert(of_bytes.end(), unit_, each);
  stamps_ = std::move(of_bytes);
  unit_ = 1;
}

}  // namespace lockstep::ptx
