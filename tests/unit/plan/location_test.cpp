#include "launcher/plan/location.hpp"

#include <gtest/gtest.h>

namespace lockstep::plan {
namespace {

struct Local {
  const char* written;
  const char* path;
};

TEST(Location, FindsLocalPathsRelativeToTheJobFile) {
  const Local cases[] = {
      {"data", "/jobs/data"},
      {"./data/", "/jobs/data"},
      {"../data/./x", "/data/x"},
      {"/abs/../data", "/data"},
      {".", "/jobs"},
      {"/", "/"},
      {"file:data", "/jobs/data"},
      {"file:./data", "/jobs/data"},
      {"file:/abs", "/abs"},
      {"file:///with%20blank", "/with blank"},
      {"file://localhost/abs", "/abs"},
      {"FILE:x%20y", "/jobs/x%20y"},
      {"odd:name", "/jobs/odd:name"},
      {"a/b://c", "/jobs/a/b:/c"},
  };
  for (const auto& each : cases) {
    const Location found = locate(each.written, "/jobs");
    EXPECT_EQ(found.place, Location::Place::local) << each.written;
    EXPECT_EQ(found.path, each.path) << each.written;
  }
}

TEST(Location, KnowsTheWebWhateverTheCase) {
  EXPECT_EQ(locate("http://x/y", "/jobs").place, Location::Place::web);
  EXPECT_EQ(locate("HTTPS://x/y", "/jobs").place, Location::Place::web);
}

TEST(Location, ShowsAddressesWithoutTheirSecrets) {
  EXPECT_EQ(without_secrets("https://h/a/b.csv"), "https://h/a/b.csv");
  EXPECT_EQ(without_secrets("https://h/b?sv=1&sig=abc"), "https://h/b?********");
  EXPECT_EQ(without_secrets("https://user:pw@h/b"), "https://********@h/b");
  EXPECT_EQ(without_secrets("https://u:p@h?x=1#y"), "https://********@h?********");
  EXPECT_EQ(without_secrets("https://h/p@q"), "https://h/p@q");
  EXPECT_EQ(without_secrets("wasbs://c@a.blob/x?sig=1"), "wasbs://c@a.blob/x?********");
  EXPECT_EQ(without_secrets("no address? at all@"), "no address? at all@");
}

}  // namespace
}  // namespace lockstep::plan
