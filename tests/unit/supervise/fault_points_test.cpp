#include "launcher/supervise/fault_points.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>

#include "common/file.hpp"

namespace lockstep::supervise {
namespace {

// The list is what the kill tests go through; a point that stands in the code alone would never be tried.
TEST(FaultPoints, AreThoseOfTheCode) {
  std::set<std::string> in_code;
  const std::regex call(R"rx(fault_point\("([^"]+)"\))rx");
  for (const auto& file : fs::directory_iterator(LOCKSTEP_SOURCE_DIR "/launcher/supervise")) {
    if (file.path().extension() != ".cpp") continue;
    const std::string text = read_file(file.path());
    for (std::sregex_iterator each(text.begin(), text.end(), call), end; each != end; ++each) {
      EXPECT_TRUE(in_code.insert((*each)[1]).second) << (*each)[1] << " is named twice";
    }
  }
  std::set<std::string> listed;
  for (const auto& each : fault_points) listed.insert(each.name);
  EXPECT_EQ(in_code, listed);
  EXPECT_GT(listed.size(), 30U);
}

}  // namespace
}  // namespace lockstep::supervise
