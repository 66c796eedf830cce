// What a node may write to the run's folder, and what not: what it sends is not to be trusted.
#include "launcher/hosts/receiver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "common/file.hpp"
#include "tests/support/temporary_folder.hpp"

namespace lockstep::hosts {
namespace {

using node::Frame;

Frame append(const std::string& path, std::int64_t offset, const std::string& text) {
  return {{{"word", "append"}, {"path", path}, {"offset", offset}}, text};
}
Frame part(const std::string& path, std::int64_t offset, const std::string& text, bool last) {
  return {{{"word", "part"}, {"path", path}, {"offset", offset}, {"last", last}, {"mode", 0750}}, text};
}

class Received : public ::testing::Test {
 protected:
  Received() : folder_(temporary_ / "run") { folder_.create(); }
  std::string text(const std::string& name) const { return read_file_if_exists(folder_.root() / name).value_or("-"); }

  lockstep::testing::TemporaryFolder temporary_;
  RunFolder folder_;
  Owners owners_;
  Receiver first_{folder_, 0, owners_};
  Receiver second_{folder_, 1, owners_};
};

TEST_F(Received, GrowingFilesGrowAndPiecesThatComeTwiceAreThereOnce) {
  first_.take(append("logs/rank-0.log", 0, "one\n"));
  first_.take(append("logs/rank-0.log", 4, "two\n"));
  first_.take(append("logs/rank-0.log", 4, "two\n"));
  EXPECT_EQ(text("logs/rank-0.log"), "one\ntwo\n");
  first_.take(append("logs/rank-0.log", 0, "new\n"));
  EXPECT_EQ(text("logs/rank-0.log"), "new\n");
}

TEST_F(Received, OtherFilesAreThereWholeOrNotAtAll) {
  first_.take(part("outputs/model/weights", 0, "abc", false));
  EXPECT_EQ(text("outputs/model/weights"), "-");
  first_.take(part("outputs/model/weights", 3, "def", true));
  EXPECT_EQ(text("outputs/model/weights"), "abcdef");
  EXPECT_EQ(fs::status(folder_.outputs() / "model/weights").permissions(), fs::perms(0750));
  first_.take({{{"word", "gone"}, {"path", "outputs/model/weights"}}});
  EXPECT_FALSE(fs::exists(folder_.outputs() / "model"));
}

TEST_F(Received, NodesThatWriteFilesOfOneNameEachKeepTheirs) {
  first_.take(part("outputs/log", 0, "of the first", true));
  second_.take(part("outputs/log", 0, "of the second", true));
  first_.take(part("outputs/log", 0, "of the first again", true));
  EXPECT_EQ(text("outputs/log"), "of the first again");
  EXPECT_EQ(text("nodes/1/outputs/log"), "of the second");
}

TEST_F(Received, NothingIsWrittenElsewhere) {
  fs::create_directory_symlink(temporary_.path(), folder_.outputs() / "way_out");
  for (const char* path :
       {"", "/etc/passwd", "../x", "outputs/../../x", "outputs/./x", "outputs", "job.yml", "state.json", "owner.lock",
        "snapshot/x", "nodes/0/x", "logs/system.log", "outputs/way_out/x", "outputs/"}) {
    EXPECT_THROW(first_.take(part(path, 0, "x", true)), Error) << path;
    EXPECT_THROW(first_.take(append(path, 0, "x")), Error) << path;
  }
  EXPECT_FALSE(fs::exists(temporary_ / "x"));
  EXPECT_THROW(first_.take({{{"word", "append"}, {"path", "logs/a"}}}), Error);
  EXPECT_NO_THROW(first_.take({{{"word", "news"}}}));
}

TEST_F(Received, ALinkThatTakesAFilesPlaceIsNotFollowed) {
  fs::create_symlink(temporary_ / "x", folder_.logs() / "rank-0.log");
  EXPECT_THROW(first_.take(append("logs/rank-0.log", 0, "x")), Error);
  EXPECT_FALSE(fs::exists(temporary_ / "x"));
}

}  // namespace
}  // namespace lockstep::hosts
