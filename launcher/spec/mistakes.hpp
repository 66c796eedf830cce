// Collects what is wrong with one job file, to be thrown all at once.
#pragma once

#include <string>
#include <vector>

#include "common/error.hpp"
#include "launcher/spec/yaml_tree.hpp"

namespace lockstep::spec {

class Mistakes {
 public:
  explicit Mistakes(std::string file_name) : file_name_(std::move(file_name)) {}

  void add(const Mark& mark, std::string message) {
    if (is_full()) {
      ++unlisted_;
      return;
    }
    all_.push_back(mark.set > 0 ? Diagnostic{"--set", mark.set, mark.column, std::move(message)}
                                : Diagnostic{file_name_, mark.line, mark.column, std::move(message)});
  }

  // Nobody reads more than this, and working out places and near words for 100,000 of them would take minutes.
  bool is_full() const { return all_.size() >= 200; }
  bool none() const { return all_.empty(); }

  void throw_if_any() {
    if (all_.empty()) return;
    // The sort by place puts a diagnostic without a place first.
    if (unlisted_ > 0)
      all_.push_back({file_name_, 0, 0, fmt::format("{} more mistakes than the 200 below", unlisted_)});
    throw InputErrors(std::move(all_));
  }

 private:
  std::string file_name_;
  std::vector<Diagnostic> all_;
  int unlisted_ = 0;
};

}  // namespace lockstep::spec
