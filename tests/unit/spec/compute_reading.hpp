// Tests of computes read definitions in these two ways.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/error.hpp"
#include "launcher/spec/compute.hpp"

namespace lockstep::spec {

using Sets = std::vector<std::string>;

// The definition, which reads back the same as it is kept.
inline ReadCompute definition_of(std::string_view text, const Sets& sets = {}) {
  const ReadCompute definition = read_compute(text, "compute.yml", "/files", sets);
  const ReadCompute again = read_compute(definition.yaml, "kept.yml", "/elsewhere");
  EXPECT_EQ(again.compute, definition.compute) << definition.yaml;
  EXPECT_EQ(again.yaml, definition.yaml);
  return definition;
}

// With their places in c.yml.
inline std::vector<std::string> mistakes_in(std::string_view text, const Sets& sets = {}) {
  try {
    read_compute(text, "c.yml", "/files", sets);
  } catch (const InputErrors& e) {
    std::vector<std::string> texts;
    for (const Diagnostic& each : e.all()) texts.push_back(each.text());
    return texts;
  }
  return {"was accepted"};
}

}  // namespace lockstep::spec
