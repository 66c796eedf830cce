#include "launcher/spec/key_table.hpp"

#include <map>

#include "launcher/spec/key_rows.hpp"
#include "launcher/spec/scalar.hpp"

namespace lockstep::spec {

std::span<const KeyRow> job_keys() {
  static const std::vector<KeyRow> rows = [] {
    std::vector<KeyRow> all;
    for (auto part : {top_rows(), data_rows(), environment_rows(), machine_rows()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return rows;
}

const std::vector<const KeyRow*>& keys_below(std::string_view parent) {
  static const auto by_parent = [] {
    std::map<std::string, std::vector<const KeyRow*>, std::less<>> all;
    for (const KeyRow& row : job_keys()) all[std::string(row.parent())].push_back(&row);
    return all;
  }();
  static const std::vector<const KeyRow*> none;
  const auto found = by_parent.find(parent);
  return found == by_parent.end() ? none : found->second;
}

std::string_view meaning_of(const KeyRow& row, std::string_view written) {
  for (const Word& w : row.words)
    if (equal_ignoring_case(w.word, written)) return w.meaning;
  return "";
}

}  // namespace lockstep::spec
