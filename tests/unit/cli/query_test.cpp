#include "cli/query.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"

namespace lockstep::cli {
namespace {

const char* const jobs = R"([
  {"name": "a", "tags": {"learning rate": "0.1"}, "steps": [1, 2], "end": null},
  {"name": "b", "tags": {}, "steps": [3], "nested": [{"k": [4, 5]}, {"k": [6]}]}
])";

struct Case {
  const char* query;
  const char* result;
};

// The results are those of the JMESPath specification (jmespath.org), not of our code.
class Understood : public ::testing::TestWithParam<Case> {};

TEST_P(Understood, GivesWhatJmesPathGives) {
  EXPECT_EQ(Query(GetParam().query).of(Json::parse(jobs)), Json::parse(GetParam().result)) << GetParam().query;
}

INSTANTIATE_TEST_SUITE_P(
    Query, Understood,
    ::testing::Values(Case{"@", R"([{"name": "a", "tags": {"learning rate": "0.1"}, "steps": [1, 2], "end": null},
                                  {"name": "b", "tags": {}, "steps": [3], "nested": [{"k": [4, 5]}, {"k": [6]}]}])"},
                      Case{"[0].name", R"("a")"}, Case{"[-1].name", R"("b")"}, Case{"[2].name", "null"},
                      Case{"[-3]", "null"}, Case{"[*].name", R"(["a", "b"])"}, Case{"[].name", R"(["a", "b"])"},
                      Case{"[*].steps", "[[1, 2], [3]]"}, Case{"[].steps[]", "[1, 2, 3]"},
                      Case{"[*].steps[*]", "[[1, 2], [3]]"}, Case{"[].steps[0]", "[1, 3]"},
                      Case{"[].nested[].k[]", "[4, 5, 6]"}, Case{"[].nested[].k[1]", "[5]"}, Case{"[*].end", "[]"},
                      Case{"[0].tags.\"learning rate\"", R"("0.1")"}, Case{"[0].no.such.key", "null"},
                      Case{"@[1].name", R"("b")"}, Case{"name", "null"}, Case{"[0].name[0]", "null"}));

class Refused : public ::testing::TestWithParam<Case> {};

TEST_P(Refused, WithThePlaceAndTheReason) {
  try {
    const Query query(GetParam().query);
    FAIL() << GetParam().query << " was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_input);
    EXPECT_THAT(error.what(), ::testing::HasSubstr(GetParam().result));
  }
}

INSTANTIATE_TEST_SUITE_P(Query, Refused,
                         ::testing::Values(Case{"", "character 1: it is empty"}, Case{"a..b", "character 3: a name"},
                                           Case{"a.", "character 3: a name is missing at the end"},
                                           Case{"[0", "character 3: ']' is missing"},
                                           Case{"[?status=='Failed']", "character 2: filters"},
                                           Case{"[x]", "character 2: in [] a number"},
                                           Case{"length(@)", "character 7: '.' or '['"},
                                           Case{"a | b", "character 2: '.' or '['"}, Case{"{n: name}", "character 1"},
                                           Case{"[99999999999999999999]", "character 2"}, Case{"a b", "character 2"},
                                           Case{"\"open", "character 6: the closing"}, Case{"0a", "character 1"},
                                           Case{".a", "character 1"}, Case{"@a", "character 2"}));

}  // namespace
}  // namespace lockstep::cli
