#include "history/server/http/target.hpp"

#include <gtest/gtest.h>

namespace lockstep::history::server::http {
namespace {

TEST(Target, IsSplitAndDecoded) {
  const Target target = parse_target("/a%20b/c+d?x=1&y=a+b&x=%26&flag&=z#rest").value_or(Target());
  EXPECT_EQ(target.path, "/a b/c+d");
  EXPECT_EQ(target.query, (std::vector<KeyValue>{{"x", "1"}, {"y", "a b"}, {"x", "&"}, {"flag", ""}, {"", "z"}}));
}

TEST(Target, WithoutAPathOrWithABrokenEscapeIsRefused) {
  for (const char* text : {"", "a", "http://host/a", "*", "/%", "/%4", "/%zz", "/a?x=%G1", "/%00"}) {
    EXPECT_FALSE(parse_target(text)) << text;
  }
  EXPECT_FALSE(parse_target(std::string_view("/a\0b", 4)));
}

TEST(Target, MayHaveAnEmptyQuery) {
  for (const char* text : {"/a?", "/a?&&"}) {
    const Target target = parse_target(text).value_or(Target());
    EXPECT_EQ(target.path, "/a") << text;
    EXPECT_EQ(target.query.size(), 0U) << text;
  }
}

}  // namespace
}  // namespace lockstep::history::server::http
