#include "history/store/artifacts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace lockstep::history {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace {
class Artifacts : public ::testing::Test {
 protected:
  Artifacts() {
    fs::create_directories(root_ / "model" / "deep");
    fs::create_directories(root_ / "empty");
    write_file_atomically(root_ / "notes.txt", "12345");
    write_file_atomically(root_ / "model" / "weights", "123");
    write_file_atomically(root_ / "model" / "deep" / "er", "1");
    write_file_atomically(folder_.path() / "secret", "of the machine");
  }
  testing::TemporaryFolder folder_;
  fs::path root_ = folder_.path() / "outputs";
};

ExitCode code_of(const fs::path& root, const std::string& path) {
  try {
    list_artifacts(root, path);
  } catch (const Error& error) {
    return error.code();
  }
  return ExitCode::done;
}
}  // namespace

TEST_F(Artifacts, AreListedLevelByLevelWithPathsFromTheRoot) {
  EXPECT_THAT(list_artifacts(root_, ""),
              ElementsAre(Artifact{"empty", true, 0}, Artifact{"model", true, 0}, Artifact{"notes.txt", false, 5}));
  EXPECT_THAT(list_artifacts(root_, "model"),
              ElementsAre(Artifact{"model/deep", true, 0}, Artifact{"model/weights", false, 3}));
  EXPECT_THAT(list_artifacts(root_, "./model/"),
              ElementsAre(Artifact{"model/deep", true, 0}, Artifact{"model/weights", false, 3}));
  EXPECT_THAT(list_artifacts(root_, "empty"), IsEmpty());
  EXPECT_THAT(list_artifacts(root_, "notes.txt"), ElementsAre(Artifact{"notes.txt", false, 5}));
}

TEST_F(Artifacts, FilesAreListedToAnyDepth) {
  EXPECT_THAT(list_artifact_files(root_, ""),
              ElementsAre(Artifact{"model/deep/er", false, 1}, Artifact{"model/weights", false, 3},
                          Artifact{"notes.txt", false, 5}));
  EXPECT_THAT(list_artifact_files(root_, "model/deep"), ElementsAre(Artifact{"model/deep/er", false, 1}));
}

TEST_F(Artifacts, OfARunThatMadeNoneAreNone) {
  EXPECT_THAT(list_artifacts(folder_.path() / "nothing", ""), IsEmpty());
  EXPECT_EQ(code_of(folder_.path() / "nothing", "model"), ExitCode::not_found);
}

TEST_F(Artifacts, NeverLeadOutOfTheRoot) {
  fs::create_symlink(folder_.path(), root_ / "out");
  fs::create_symlink("model", root_ / "same");
  fs::create_symlink("nowhere", root_ / "broken");
  EXPECT_EQ(code_of(root_, ".."), ExitCode::bad_input);
  EXPECT_EQ(code_of(root_, "model/../../secret"), ExitCode::bad_input);
  EXPECT_EQ(code_of(root_, "/etc"), ExitCode::bad_input);
  EXPECT_EQ(code_of(root_, "out"), ExitCode::bad_input);
  EXPECT_EQ(code_of(root_, "out/secret"), ExitCode::bad_input);
  EXPECT_EQ(code_of(root_, std::string("a\0b", 3)), ExitCode::bad_input);
  EXPECT_EQ(code_of(root_, "model/nothing"), ExitCode::not_found);
  EXPECT_EQ(list_artifacts(root_, "same").size(), 2U);
  for (const Artifact& each : list_artifact_files(root_, "")) EXPECT_EQ(each.path.find("secret"), std::string::npos);
}

}  // namespace lockstep::history
