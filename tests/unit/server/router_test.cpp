#include <gtest/gtest.h>

#include "history/server/route.hpp"

namespace lockstep::history::server {
namespace {

Route route(Verb verb, const std::string& pattern) {
  return {.verb = verb, .pattern = pattern, .access = Access::read, .handler = {}};
}

class Routing : public ::testing::Test {
 protected:
  // The pattern that answers, and what was captured.
  std::string pattern_for(Verb verb, const std::string& path) {
    Request request;
    request.verb = verb;
    request.path = path;
    const Route* found = router_.find(request, other_verb_);
    captured_ = request.captured;
    return found == nullptr ? "" : found->pattern;
  }

  Router router_;
  bool other_verb_ = false;
  std::vector<std::string> captured_;
};

TEST_F(Routing, FixedWordsWinOverCapturedParts) {
  router_.add({route(Verb::get, "/models/{id}"), route(Verb::get, "/models/search"),
               route(Verb::get, "/models/{id}/tags/{key}")});
  EXPECT_EQ(pattern_for(Verb::get, "/models/search"), "/models/search");
  EXPECT_EQ(pattern_for(Verb::get, "/models/m-1"), "/models/{id}");
  EXPECT_EQ(captured_, std::vector<std::string>{"m-1"});
  EXPECT_EQ(pattern_for(Verb::get, "/models/m-1/tags/a"), "/models/{id}/tags/{key}");
  EXPECT_EQ(captured_, (std::vector<std::string>{"m-1", "a"}));
}

TEST_F(Routing, TheRestOfAPathMayBeEmptyAndHasItsSlashes) {
  router_.add({route(Verb::get, "/artifacts/{path...}")});
  EXPECT_EQ(pattern_for(Verb::get, "/artifacts/a/b.txt"), "/artifacts/{path...}");
  EXPECT_EQ(captured_, std::vector<std::string>{"a/b.txt"});
  EXPECT_EQ(pattern_for(Verb::get, "/artifacts"), "/artifacts/{path...}");
  EXPECT_EQ(captured_, std::vector<std::string>{""});
}

TEST_F(Routing, AnEmptyPartIsNoCapturedPart) {
  router_.add({route(Verb::get, "/models/{id}")});
  EXPECT_EQ(pattern_for(Verb::get, "/models/"), "");
  EXPECT_EQ(pattern_for(Verb::get, "/models"), "");
  EXPECT_EQ(pattern_for(Verb::get, "/models/a/b"), "");
}

TEST_F(Routing, AnotherVerbIsTold) {
  router_.add({route(Verb::get, "/runs/get")});
  EXPECT_EQ(pattern_for(Verb::post, "/runs/get"), "");
  EXPECT_TRUE(other_verb_);
  EXPECT_EQ(pattern_for(Verb::post, "/runs/none"), "");
  EXPECT_FALSE(other_verb_);
}

}  // namespace
}  // namespace lockstep::history::server
