// What a plan can't do, gathered so that a person hears of all of it at once.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "common/error.hpp"

namespace lockstep::plan {

// The place of such a problem is the key in the job ("inputs.data.path"): the plan no longer knows lines and columns.
class Problems {
 public:
  template <class... Args>
  void add(std::string key, fmt::format_string<Args...> format, Args&&... args) {
    all_.push_back({std::move(key), 0, 0, fmt::format(format, std::forward<Args>(args)...)});
  }
  void throw_if_any() const {
    if (!all_.empty()) throw InputErrors(all_);
  }
  const std::vector<Diagnostic>& all() const { return all_; }

 private:
  std::vector<Diagnostic> all_;
};

}  // namespace lockstep::plan
