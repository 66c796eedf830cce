#include "runner/collective/nccl/late_collective.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace lockstep::runner {

const char* name_of(Operation operation) {
  switch (operation) {
    case Operation::all_reduce:
      return "all-reduce";
    case Operation::reduce_scatter:
      return "reduce-scatter";
    case Operation::all_gather:
      return "all-gather";
  }
  return "collective";
}

std::optional<Late> LateCollective::look(std::span<const RankRecord> ranks, double now_s) {
  const RankRecord* oldest = nullptr;
  for (const RankRecord& rank : ranks) {
    const Progress& progress = rank.progress;
    if (progress.state != RankState::running || progress.reached == progress.finished) continue;
    if (oldest == nullptr || progress.finished < oldest->progress.finished) oldest = &rank;
  }
  if (oldest == nullptr) {
    number_ = 0;
    return std::nullopt;
  }
  Late late;
  late.number = oldest->progress.finished + 1;
  late.operation = oldest->progress.operation;
  late.bytes = oldest->progress.bytes;
  if (late.number != number_) since_s_ = now_s;
  number_ = late.number;
  late.for_s = now_s - since_s_;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    const Progress& progress = ranks[rank].progress;
    if (progress.reached < late.number) late.missing.push_back(rank);
    if (progress.reached >= late.number && progress.finished < late.number) late.waiting.push_back(rank);
  }
  return late;
}

std::string name_of(const Late& late) {
  constexpr double mebibyte = 1 << 20;
  return fmt::format("{} {} ({:.1f} MiB)", name_of(late.operation), late.number,
                     static_cast<double>(late.bytes) / mebibyte);
}

// A process that runs says something every quarter of a second.
static constexpr double noticeable_silence_s = 1.5;

static std::string place_of(const RankRecord& rank) {
  const Progress& progress = rank.progress;
  std::string text = fmt::format("{}, at {}", rank.host, progress.reached);
  if (progress.started > progress.reached) text += fmt::format(", {} more queued", progress.started - progress.reached);
  if (progress.state == RankState::leaving) text += ", leaving";
  if (rank.gone) text += ", gone";
  if (rank.silent_s >= noticeable_silence_s) text += fmt::format(", silent for {:.0f} s", rank.silent_s);
  return text;
}

// The first few: in a job of a thousand ranks a line must stay a line.
static std::string listed(const std::vector<std::size_t>& which, std::span<const RankRecord> ranks) {
  constexpr std::size_t most = 8;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < std::min(which.size(), most); ++i) {
    texts.push_back(fmt::format("{} ({})", which[i], place_of(ranks[which[i]])));
  }
  if (which.size() > most) texts.push_back(fmt::format("{} more", which.size() - most));
  return fmt::format("rank{} {}", which.size() == 1 ? "" : "s", fmt::join(texts, ", "));
}

std::string who_is_missing(const Late& late, std::span<const RankRecord> ranks) {
  if (!late.missing.empty()) {
    return fmt::format("{} {} not reached it", listed(late.missing, ranks), late.missing.size() == 1 ? "has" : "have");
  }
  return fmt::format("all ranks have reached it, and {} {} not through", listed(late.waiting, ranks),
                     late.waiting.size() == 1 ? "is" : "are");
}

}  // namespace lockstep::runner
