#include "history/store/run_name.hpp"

#include <array>
#include <string_view>

#include "common/digest.hpp"

namespace lockstep::history {

static constexpr std::array<std::string_view, 64> adjectives = {
    "able",   "amber",  "brave",  "brisk", "bright", "busy",  "calm",  "clear",  "clever", "cool",  "coral",
    "cosy",   "crisp",  "eager",  "early", "fair",   "fancy", "fine",  "fleet",  "fond",   "fresh", "gentle",
    "glad",   "gold",   "good",   "grand", "green",  "happy", "hardy", "honest", "icy",    "ivory", "jolly",
    "keen",   "kind",   "lively", "lucky", "mellow", "merry", "mild",  "neat",   "nimble", "noble", "olive",
    "plucky", "polite", "proud",  "quick", "quiet",  "rapid", "ready", "silver", "smart",  "snug",  "solid",
    "steady", "sunny",  "sure",   "swift", "tidy",   "true",  "warm",  "wise",   "witty"};
static constexpr std::array<std::string_view, 64> nouns = {
    "apple",  "arch",   "badger", "bay",   "beach",  "bear",  "birch",  "boat",   "book",   "bridge", "brook",
    "camel",  "cedar",  "cliff",  "cloud", "clover", "comet", "crane",  "deer",   "dove",   "eagle",  "elm",
    "falcon", "fern",   "field",  "finch", "forest", "fox",   "garden", "goose",  "grape",  "hare",   "harp",
    "hill",   "island", "kite",   "lake",  "lark",   "lemon", "lion",   "lynx",   "maple",  "meadow", "moon",
    "otter",  "owl",    "peach",  "pear",  "pine",   "plum",  "pond",   "quartz", "rabbit", "river",  "robin",
    "sail",   "seal",   "stone",  "sun",   "swan",   "tiger", "valley", "willow", "wren"};

RunName generate_run_name() {
  const std::string digits = random_hex(20);
  const auto bits = [&](std::size_t at) { return std::stoul(digits.substr(at, 2), nullptr, 16); };
  // 32 signs, 5 bits each, without those that people confuse: 8 of them make 40 bits.
  constexpr std::string_view signs = "23456789abcdefghjkmnpqrstuvwxyz0";
  RunName name;
  name.display_name = std::string(adjectives[bits(0) % 64]) + "_" + std::string(nouns[bits(2) % 64]);
  name.run_id = name.display_name + "_";
  for (std::size_t i = 0; i < 8; ++i) name.run_id += signs[bits(4 + 2 * i) % 32];
  return name;
}

}  // namespace lockstep::history
