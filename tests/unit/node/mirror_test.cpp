// What a node's agent sends of a run's folder, and when.
#include "launcher/node/mirror.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "common/file.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/wait_until.hpp"
#include "tests/support/write_text.hpp"

namespace lockstep::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Mirrored : public ::testing::Test {
 protected:
  Mirrored() : folder_(temporary_ / "run") { folder_.create(); }

  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((folder_.root() / name).parent_path());
    lockstep::testing::write_text(folder_.root() / name, text);
  }

  // "append logs/rank-0.log 0 abc", "part outputs/x 0 abc last", "gone checkpoints/..."
  std::vector<std::string> look(bool ended = false) {
    lines_.clear();
    mirror_.look(ended);
    return lines_;
  }

  // Not each look walks through the folders, and none takes long.
  std::vector<std::string> first_of_what_it_sends(std::size_t count) {
    std::vector<std::string> sent;
    EXPECT_TRUE(lockstep::testing::wait_until([&] {
      const auto more = look();
      sent.insert(sent.end(), more.begin(), more.end());
      return sent.size() >= count;
    }));
    return sent;
  }

  lockstep::testing::TemporaryFolder temporary_;
  RunFolder folder_;
  std::vector<std::string> lines_;
  Mirror mirror_{folder_, [this](const Frame& frame) {
                   std::string line = frame.word() + " " + frame.head.value("path", "");
                   if (frame.head.contains("offset"))
                     line += fmt::format(" {} {}", frame.head["offset"].dump(), frame.body);
                   if (frame.head.value("last", false)) line += " last";
                   lines_.push_back(line);
                 }};
};

TEST_F(Mirrored, SendsOfAGrowingFileWhatWasAdded) {
  write("logs/rank-0.log", "one\n");
  EXPECT_THAT(look(), ElementsAre("append logs/rank-0.log 0 one\n"));
  EXPECT_THAT(look(), IsEmpty());
  write("logs/rank-0.log", "one\ntwo\n");
  write("metrics/rank-0.jsonl", "");
  EXPECT_THAT(look(), ElementsAre("append logs/rank-0.log 4 two\n", "append metrics/rank-0.jsonl 0 "));
  write("logs/rank-0.log", "new\n");
  EXPECT_THAT(look(), ElementsAre("append logs/rank-0.log 0 new\n")) << "it was begun anew";
}

TEST_F(Mirrored, WaitsUntilOtherFilesStayAsTheyAre) {
  write("outputs/model/weights", "abc");
  EXPECT_THAT(look(), IsEmpty()) << "it may be half of it";
  EXPECT_THAT(look(true), ElementsAre("part outputs/model/weights 0 abc last"));
  EXPECT_THAT(look(true), IsEmpty());
}

TEST_F(Mirrored, SendsACheckpointWhenItIsWholeItsManifestLastAndTellsWhenItIsRemoved) {
  write("checkpoints/step-00000010/model.safetensors", "m");
  write("checkpoints/step-00000010/.part", "p");
  EXPECT_THAT(look(), IsEmpty()) << "it has no manifest";
  fs::remove(folder_.checkpoints() / "step-00000010/.part");
  write("checkpoints/step-00000010/manifest.json", "{}");
  EXPECT_THAT(first_of_what_it_sends(2), ElementsAre("part checkpoints/step-00000010/model.safetensors 0 m last",
                                                     "part checkpoints/step-00000010/manifest.json 0 {} last"));
  fs::remove_all(folder_.checkpoints() / "step-00000010");
  EXPECT_THAT(look(), ElementsAre("gone checkpoints/step-00000010/manifest.json",
                                  "gone checkpoints/step-00000010/model.safetensors"));
}

TEST_F(Mirrored, FollowsNoLinkAndSendsNothingElse) {
  write("secret", "s");
  fs::create_symlink(folder_.root() / "secret", folder_.outputs() / "link");
  fs::create_directory_symlink(folder_.root(), folder_.outputs() / "folder");
  fs::create_symlink(folder_.root() / "secret", folder_.logs() / "link.log");
  ASSERT_EQ(::mkfifo((folder_.outputs() / "pipe").c_str(), 0600), 0);
  write("state.json", "{}");
  write("snapshot/train.py", "x");
  EXPECT_THAT(look(true), IsEmpty());
}

TEST_F(Mirrored, SendsFoldersThatAProgramMadeInPlaceOfTheLinksToOutputsAndLogs) {
  write("snapshot/outputs/model", "m");
  write("snapshot/logs/mine.txt", "l");
  EXPECT_THAT(look(true), ElementsAre("part outputs/model 0 m last", "part logs/user/mine.txt 0 l last"));
  write("outputs/model", "n");
  EXPECT_THAT(look(true), ElementsAre("part outputs/model 0 n last"));
  EXPECT_THAT(look(true), IsEmpty()) << "two of one name are not sent in turn for ever";
}

TEST_F(Mirrored, SendsInTheEndWhatOtherProgramsLeaveInFoldersOfThatName) {
  write("outputs/step-5/weights", "w");
  write("checkpoints/step-6/weights", "v");
  EXPECT_THAT(look(true),
              ElementsAre("part checkpoints/step-6/weights 0 v last", "part outputs/step-5/weights 0 w last"));
}

TEST_F(Mirrored, SendsALargeFileInPiecesAndLetsOthersHaveTheirTurn) {
  std::size_t bytes = 0;
  int looks = 0;
  Mirror mirror(folder_, [&](const Frame& frame) { bytes += frame.body.size(); });
  write("outputs/large", std::string(9 << 20, 'x'));
  while (mirror.look(true)) ++looks;
  EXPECT_EQ(bytes, std::size_t{9} << 20);
  EXPECT_GE(looks, 2) << "a stop that is asked for meanwhile is heard";
}

TEST_F(Mirrored, WhatWasSentThereIsNotSentBack) {
  write("logs/rank-0.log", "of the attempt before\n");
  write("checkpoints/step-00000010/manifest.json", "{}");
  std::vector<std::string> sent;
  Mirror mirror(folder_,
                [&](const Frame& frame) { sent.push_back(frame.head["path"].get<std::string>() + " " + frame.body); });
  EXPECT_FALSE(mirror.look(true));
  write("logs/rank-0.log", "of the attempt before\nof this one\n");
  mirror.look(true);
  EXPECT_THAT(sent, ElementsAre("logs/rank-0.log of this one\n"));
}

}  // namespace
}  // namespace lockstep::node
