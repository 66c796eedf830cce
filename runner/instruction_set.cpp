#include "runner/instruction_set.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "common/error.hpp"
#include "kernels/instruction_set.hpp"
#include "runner/agreement.hpp"

namespace lockstep::runner {

using kernels::InstructionSet;
using kernels::name_of;

static InstructionSet most_of_this_rank(const Options& options) {
  const InstructionSet has = kernels::instruction_set_of_this_cpu();
  InstructionSet most = std::min(has, kernels::instruction_set_of_environment().value_or(has));
  if (const auto cap = kernels::instruction_set_named(options.isa)) {  // none: native
    if (*cap > has) {
      throw bad_input("--isa {}: this CPU has no more than {}; give --isa {}, or native", options.isa, name_of(has),
                      name_of(has));
    }
    most = std::min(most, *cap);
  }
  return most;
}

static std::string who_may_use_what(const std::vector<std::int64_t>& all) {
  std::map<std::int64_t, std::vector<std::size_t>> ranks;
  for (std::size_t rank = 0; rank < all.size(); ++rank) ranks[all[rank]].push_back(rank);
  if (ranks.size() == 1) return "";
  std::vector<std::string> parts;
  for (const auto& [set, of] : ranks) {
    parts.push_back(fmt::format("rank{} {} {}", of.size() == 1 ? "" : "s", fmt::join(of, ", "),
                                name_of(static_cast<InstructionSet>(set))));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

AgreedInstructionSet agree_on_instruction_set(const Options& options, Collective& collective) {
  const InstructionSet mine = agreed(collective, [&] { return most_of_this_rank(options); });
  const auto all = gather(collective, static_cast<std::int64_t>(mine));
  const auto used = static_cast<InstructionSet>(*std::min_element(all.begin(), all.end()));
  agreed(collective, [&] {
    kernels::use_instruction_set(used);
    return true;
  });
  return {name_of(used), who_may_use_what(all)};
}

}  // namespace lockstep::runner
