#include "runner/agreement.hpp"

#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <vector>

namespace lockstep::runner {

std::string rank_and_host(const Collective& collective) {
  char host[256] = "an unnamed host";
  ::gethostname(host, sizeof host - 1);
  return fmt::format("rank {} on {}", collective.rank(), host);
}

std::vector<std::int64_t> gather(Collective& collective, std::int64_t mine) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(collective.size()), 0);
  all[static_cast<std::size_t>(collective.rank())] = mine;
  collective.max(all);
  return all;
}

void agree(Collective& collective, const Fared& fared) {
  const auto codes = gather(collective, static_cast<int>(fared.code));
  const auto first = std::find_if(codes.begin(), codes.end(), [](std::int64_t code) { return code != 0; });
  if (first == codes.end()) return;
  const bool all_failed = std::find(codes.begin(), codes.end(), 0) == codes.end();
  const bool speaks = first - codes.begin() == collective.rank();
  const std::string place = all_failed ? "" : rank_and_host(collective) + ": ";
  throw AgreedError(static_cast<ExitCode>(*first), place + fared.message, speaks);
}

// FNV-1a over the words (64 bits). Not against malice: against ranks that drifted apart.
static std::int64_t fingerprint(std::span<const float> values) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const float value : values) hash = (hash ^ std::bit_cast<std::uint32_t>(value)) * 0x100000001b3;
  return static_cast<std::int64_t>(hash >> 1);  // max() must not meet negative ones
}

void check_same_everywhere(Collective& collective, std::span<const float> values, const std::string& what) {
  if (collective.size() == 1) return;
  const auto all = gather(collective, fingerprint(values));
  std::vector<std::size_t> different;
  for (std::size_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank] != all[0]) different.push_back(rank);
  }
  if (different.empty()) return;
  throw AgreedError(ExitCode::failed,
                    fmt::format("the {} of rank {} differ from rank 0's: the ranks have drifted apart (other library "
                                "versions or processors?)",
                                what, fmt::join(different, ", ")),
                    collective.rank() == 0);
}

}  // namespace lockstep::runner
