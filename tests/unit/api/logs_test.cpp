#include <gmock/gmock.h>

#include "tests/unit/api/job_rig.hpp"

namespace lockstep::api {
namespace {

using ::testing::HasSubstr;

using JobLogs = JobRig;

TEST_F(JobLogs, AreListedInTheOrderOfRanks) {
  for (const char* name : {"rank-10.log", "rank-2.log", "system.log", "rank-0.log", "user/a.txt"})
    write_log(name, "x\n");
  std::vector<std::string> names;
  const auto logs = v1("jobs/job/logs");
  for (const auto& each : logs["logs"]) names.push_back(each["name"]);
  EXPECT_EQ(names, (std::vector<std::string>{"rank-0.log", "rank-2.log", "rank-10.log", "system.log", "user/a.txt"}));
}

TEST_F(JobLogs, AreReadInPartsThatMakeTheWhole) {
  std::string text;
  for (int i = 0; i < 500; ++i) text += "zeile " + std::to_string(i) + " äöü€😀\n";
  write_log("user/a.txt", text);
  for (const char* limit : {"4", "5", "7", "1000", "262144"}) {
    std::string got;
    std::int64_t offset = 0;
    for (int parts = 0; offset < static_cast<std::int64_t>(text.size()) && parts < 10000; ++parts) {
      const auto part = v1("jobs/job/logs/user/a.txt", {{"offset", std::to_string(offset)}, {"limit", limit}});
      EXPECT_EQ(part["offset"], offset);
      EXPECT_EQ(part["bytes"], text.size());
      got += part["text"];
      offset = part["next_offset"];
    }
    EXPECT_EQ(got, text) << limit;
  }
}

TEST_F(JobLogs, GiveTheirEndAndNothingBehindIt) {
  write_log("rank-0.log", "äöü end\n");
  EXPECT_EQ(v1("jobs/job/logs/rank-0.log", {{"offset", "-4"}})["text"], "end\n");
  EXPECT_EQ(v1("jobs/job/logs/rank-0.log", {{"offset", "-6"}})["text"], " end\n");  // not the half of a character
  EXPECT_EQ(v1("jobs/job/logs/rank-0.log", {{"offset", "-1000"}})["text"], "äöü end\n");
  const auto behind = v1("jobs/job/logs/rank-0.log", {{"offset", "1000"}});
  EXPECT_EQ(behind["text"], "");
  EXPECT_EQ(behind["next_offset"], 11);
}

TEST_F(JobLogs, ShowBrokenBytesAndGoOnBehindThem) {
  write_log("rank-0.log", "a\xFF\xC3z\n");
  const auto part = v1("jobs/job/logs/rank-0.log");
  EXPECT_THAT(part["text"].get<std::string>(), HasSubstr("z\n"));
  EXPECT_EQ(part["next_offset"], 5);
}

TEST_F(JobLogs, AreSearchedLineByLineInEitherCase) {
  std::string text(3'000'000, 'x');  // longer than what is read at once
  text += "\nLoss 1\nother\n" + std::string(2'000'000, 'y') + " lOSS\nloss without end";
  write_log("rank-0.log", text);
  const auto found = v1("jobs/job/log-search", {{"log", "rank-0.log"}, {"text", "loss"}});
  ASSERT_EQ(found["matches"].size(), 3);
  EXPECT_EQ(found["matches"][0], (nlohmann::json{{"line", 2}, {"offset", 3'000'001}, {"text", "Loss 1"}}));
  EXPECT_EQ(found["matches"][1]["line"], 4);
  EXPECT_EQ(found["matches"][1]["text"].get<std::string>().size(), 1000);
  EXPECT_EQ(found["matches"][2]["text"], "loss without end");
  EXPECT_EQ(found["more"], false);
  const auto first = v1("jobs/job/log-search", {{"log", "rank-0.log"}, {"text", "loss"}, {"max_results", "1"}});
  EXPECT_EQ(first["matches"].size(), 1);
  EXPECT_EQ(first["more"], true);
}

TEST_F(JobLogs, LeadNowhereElse) {
  write_file_atomically(folder().root() / "secret", "secret");
  fs::create_symlink(folder().root() / "secret", folder().logs() / "link.log");
  fs::create_directory_symlink(folder().root(), folder().logs() / "up");
  for (const char* name : {"../secret", "link.log", "up/secret", "user/../../secret", "/etc/passwd", "user", ""}) {
    const std::string path = std::string("jobs/job/logs/") + name;
    if (*name != '\0') {
      EXPECT_NE(mistake(path), "") << name;
    }
    EXPECT_NE(mistake("jobs/job/log-search", {{"log", name}, {"text", "secret"}}), "") << name;
  }
}

TEST_F(JobLogs, OfAJobThatNobodyKnowsOrWithoutFilesAreSaidSo) {
  EXPECT_THAT(mistake("jobs/jub/logs"), HasSubstr("job"));
  EXPECT_THAT(mistake("jobs/job/logs/rank-7.log"), HasSubstr("no log 'rank-7.log'"));
  EXPECT_THAT(mistake("jobs/job/logs/rank-7.log", {{"offest", "3"}}), HasSubstr("did you mean 'offset'"));
  EXPECT_THAT(mistake("jobs/job/logs/rank-7.log", {{"limit", "9999999999"}}), HasSubstr("4194304"));
}

}  // namespace
}  // namespace lockstep::api
