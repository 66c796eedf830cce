// How far a journal is taken with a batch: a tag that each batch of a reporting training carries, so that a batch which
// is sent again, because its answer did not come, can be told from one that is new.
#pragma once

#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "history/store/values.hpp"

namespace lockstep::history {

// The tag lockstep.reported.<journal> with the value "<report>:<sequence>.<item>": everything before item `item` of the
// journal's entry `sequence`. Reports count for themselves: another training may go on with the same run.
struct ReportedThrough {
  std::string journal;  // rank-<k>
  std::string report;
  std::int64_t sequence = 0;
  std::int64_t item = 0;

  static constexpr std::string_view prefix = "lockstep.reported.";

  KeyValue tag() const {
    return {std::string(prefix) + journal, report + ":" + std::to_string(sequence) + "." + std::to_string(item)};
  }

  // nullopt for any other tag.
  static std::optional<ReportedThrough> read(const KeyValue& tag) {
    const std::size_t colon = tag.value.rfind(':');
    if (!tag.key.starts_with(prefix) || colon == std::string::npos) return std::nullopt;
    ReportedThrough through{tag.key.substr(prefix.size()), tag.value.substr(0, colon), 0, 0};
    std::istringstream rest(tag.value.substr(colon + 1));
    char dot = 0;
    if (!(rest >> through.sequence >> dot >> through.item) || dot != '.') return std::nullopt;
    return through;
  }

  // Whether what this says was taken is part of what `other` says.
  bool is_within(const ReportedThrough& other) const {
    if (journal != other.journal || report != other.report) return false;
    return sequence < other.sequence || (sequence == other.sequence && item <= other.item);
  }
};

}  // namespace lockstep::history
