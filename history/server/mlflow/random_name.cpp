#include "history/server/mlflow/random_name.hpp"

#include <fmt/format.h>

#include <array>

#include "common/digest.hpp"

namespace lockstep::history::server::mlflow {

static constexpr std::array how = {"amber", "brave",  "bright", "calm",   "clever", "crisp",  "eager",   "early",
                                   "fair",  "fleet",  "gentle", "green",  "happy",  "hardy",  "keen",    "kind",
                                   "late",  "lively", "lucky",  "merry",  "mild",   "nimble", "patient", "quick",
                                   "quiet", "rapid",  "sober",  "steady", "sunny",  "tidy",   "warm",    "witty"};
static constexpr std::array who = {"badger", "beaver", "bison", "crane", "dolphin", "falcon", "ferret", "finch",
                                   "gecko",  "hare",   "heron", "ibex",  "jackdaw", "koala",  "lark",   "lynx",
                                   "marten", "mole",   "newt",  "otter", "owl",     "panda",  "puffin", "raven",
                                   "robin",  "salmon", "seal",  "stork", "swift",   "tern",   "vole",   "wren"};

std::string random_name() {
  const unsigned long bits = std::stoul(random_hex(8), nullptr, 16);
  return fmt::format("{}-{}-{}", how[bits % how.size()], who[(bits >> 5) % who.size()], (bits >> 10) % 1000);
}

}  // namespace lockstep::history::server::mlflow
