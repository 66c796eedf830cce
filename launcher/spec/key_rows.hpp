// The parts of the key table, and what its rows are written with.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/spec/key_table.hpp"
#include "launcher/spec/scalar.hpp"

namespace lockstep::spec {

std::vector<KeyRow> top_rows();   // what a job is called, what it runs
std::vector<KeyRow> data_rows();  // inputs, outputs
std::vector<KeyRow> environment_rows();
std::vector<KeyRow> machine_rows();  // distribution, resources, queue, identity, services

// Short, for the lambdas of the rows.
using J = CommandJob;
using N = const std::string&;
using V = const YamlNode&;

// Filled in by Azure ML and shown by `az ml job show`: read, so that such output can be submitted again, as there.
inline constexpr std::string_view by_service = "written by the service; has no effect (Azure ML takes it too)";

inline Word word(std::string_view text) { return {text, text}; }

template <class Enum>
std::vector<Word> words_of(Enum first, Enum last) {
  std::vector<Word> words;
  words.reserve(static_cast<std::size_t>(last) + 1);
  for (int i = static_cast<int>(first); i <= static_cast<int>(last); ++i)
    words.push_back(word(name_of(static_cast<Enum>(i))));
  return words;
}

// The enum value whose word is `meaning`; the parser has checked that there is one.
template <class Enum>
Enum from_words(const std::vector<Word>& words, std::string_view written, Enum first) {
  const auto same = [&](const Word& w) { return equal_ignoring_case(w.word, written); };
  const auto found = std::find_if(words.begin(), words.end(), same);
  const std::string_view meaning = found == words.end() ? name_of(first) : found->meaning;
  for (int i = static_cast<int>(first);; ++i)
    if (name_of(static_cast<Enum>(i)) == meaning) return static_cast<Enum>(i);
}

}  // namespace lockstep::spec
