#include "launcher/compute/snapshot.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "common/digest.hpp"
#include "common/error.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/write_text.hpp"

namespace lockstep::compute {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TemporaryFolder;
using ::testing::UnorderedElementsAre;
using testing::write_text;

const auto never = [] { return false; };

std::vector<std::string> paths_in(const CodeListing& listing) {
  std::vector<std::string> paths;
  paths.reserve(listing.entries.size());
  for (const auto& entry : listing.entries) paths.push_back(entry.path);
  return paths;
}

class Snapshot : public ::testing::Test {
 protected:
  Snapshot() : code_(folder_ / "code"), target_(folder_ / "target") {
    fs::create_directories(code_);
    fs::create_directories(target_);
  }
  std::string take() const { return copy_code(list_code(code_, never), code_, target_, never); }
  std::string take_again() const {
    fs::remove_all(target_);
    fs::create_directories(target_);
    return take();
  }
  TemporaryFolder folder_;
  fs::path code_;
  fs::path target_;
};

TEST_F(Snapshot, CopiesContentsModesAndTimes) {
  write_text(code_ / "train.py", "print(1)\n");
  write_text(code_ / "bin/run.sh", std::string("\0\xFF", 2) + std::string(3 << 20, 'x'));
  fs::create_directories(code_ / "empty");
  ASSERT_EQ(::chmod((code_ / "bin/run.sh").c_str(), 0750), 0);
  const timespec times[2] = {{1000, 0}, {2000, 5000}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (code_ / "train.py").c_str(), times, 0), 0);
  take();
  EXPECT_EQ(read_file(target_ / "train.py"), "print(1)\n");
  EXPECT_EQ(sha256_hex_of_file(target_ / "bin/run.sh"), sha256_hex_of_file(code_ / "bin/run.sh"));
  EXPECT_TRUE(fs::is_directory(target_ / "empty"));
  struct stat info {};
  ASSERT_EQ(::stat((target_ / "bin/run.sh").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0750);
  ASSERT_EQ(::stat((target_ / "train.py").c_str(), &info), 0);
  EXPECT_EQ(info.st_mtim.tv_sec, 2000);
}

TEST_F(Snapshot, LeavesGitAndItsOwnFoldersOut) {
  write_text(code_ / "a", "x");
  write_text(code_ / ".git/config", "x");
  write_text(code_ / "sub/.git", "gitdir: x");
  write_text(code_ / ".lockstep/history.db", "x");
  EXPECT_THAT(paths_in(list_code(code_, never)), ElementsAre("a", "sub"));
}

TEST_F(Snapshot, PrefersAmlignoreToGitignore) {
  write_text(code_ / "a", "x");
  write_text(code_ / "b", "x");
  write_text(code_ / ".gitignore", "a\n");
  EXPECT_THAT(paths_in(list_code(code_, never)), ElementsAre(".gitignore", "b"));
  write_text(code_ / ".amlignore", "b\n");
  EXPECT_THAT(paths_in(list_code(code_, never)), ElementsAre(".amlignore", ".gitignore", "a"));
}

TEST_F(Snapshot, FollowsNoLink) {
  write_text(folder_ / "outside/secret", "x");
  write_text(code_ / "in/file", "hello");
  fs::create_symlink("in/file", code_ / "inside");
  fs::create_symlink(code_ / "in/file", code_ / "absolute");
  fs::create_directory_symlink("../outside", code_ / "escape");
  fs::create_symlink("../../outside/secret", code_ / "in/up");
  fs::create_symlink("nowhere", code_ / "dangling");
  fs::create_directory_symlink("..", code_ / "in/loop");
  const CodeListing listing = list_code(code_, never);
  EXPECT_THAT(paths_in(listing),
              ElementsAre("absolute", "dangling", "escape", "in", "in/file", "in/loop", "in/up", "inside"));
  EXPECT_THAT(listing.remarks, UnorderedElementsAre(HasSubstr("escape -> "), HasSubstr("in/up -> ")));
  take();
  EXPECT_EQ(fs::read_symlink(target_ / "inside"), "in/file");
  EXPECT_EQ(read_file(target_ / "absolute"), "hello");
  EXPECT_EQ(fs::canonical(target_ / "absolute"), fs::canonical(target_ / "in/file"));
  EXPECT_EQ(fs::read_symlink(target_ / "dangling"), "nowhere");
  EXPECT_TRUE(fs::is_symlink(target_ / "escape"));
  EXPECT_EQ(fs::canonical(target_ / "escape"), fs::canonical(folder_ / "outside"));
  EXPECT_EQ(fs::canonical(target_ / "in/up"), fs::canonical(folder_ / "outside/secret"));
}

TEST_F(Snapshot, WorksThroughALinkToTheCodeFolder) {
  write_text(code_ / "a", "x");
  fs::create_symlink("a", code_ / "b");
  fs::create_directory_symlink(code_, folder_ / "link");
  const CodeListing listing = list_code(folder_ / "link", never);
  EXPECT_THAT(paths_in(listing), ElementsAre("a", "b"));
  EXPECT_TRUE(listing.remarks.empty());
}

TEST_F(Snapshot, LeavesPipesOutAndSaysSo) {
  ASSERT_EQ(::mkfifo((code_ / "pipe").c_str(), 0600), 0);
  const CodeListing listing = list_code(code_, never);
  EXPECT_TRUE(listing.entries.empty());
  EXPECT_THAT(listing.remarks, ElementsAre(HasSubstr("pipe")));
}

TEST_F(Snapshot, HasTheHashOfItsNamesModesAndContents) {
  write_text(code_ / "a", "x");
  write_text(code_ / "b/c", "y");
  const std::string first = take();
  EXPECT_EQ(first.size(), 64);
  EXPECT_EQ(take_again(), first);
  write_text(code_ / "a", "z");
  EXPECT_NE(take_again(), first);
  write_text(code_ / "a", "x");
  EXPECT_EQ(take_again(), first);
  ASSERT_EQ(::chmod((code_ / "a").c_str(), 0755), 0);
  EXPECT_NE(take_again(), first);
  ASSERT_EQ(::chmod((code_ / "a").c_str(), 0644), 0);
  fs::rename(code_ / "b/c", code_ / "b/d");
  EXPECT_NE(take_again(), first);
}

TEST_F(Snapshot, RefusesMoreThanItsLimitAndNamesTheLargest) {
  ASSERT_EQ(::setenv("LOCKSTEP_SNAPSHOT_LIMIT_MB", "1", 1), 0);
  write_text(code_ / "data/one.bin", std::string(700'000, 'x'));
  write_text(code_ / "data/two.bin", std::string(300'000, 'x'));
  EXPECT_EQ(too_much(list_code(code_, never)), std::nullopt);
  write_text(code_ / "weights.bin", std::string(200'000, 'x'));
  write_text(code_ / "venv/lib/big.so", std::string(100'000, 'x'));
  const auto reason = too_much(list_code(code_, never));
  ASSERT_EQ(::unsetenv("LOCKSTEP_SNAPSHOT_LIMIT_MB"), 0);
  EXPECT_EQ(reason,
            "1.2 MiB in 4 files, more than the 1.0 MiB and 20000 files that a snapshot may have; the largest:\n"
            "  data/: 976.6 KiB in 2 files\n"
            "  weights.bin: 195.3 KiB\n"
            "  venv/lib/big.so: 97.7 KiB\n"
            "Keep data and virtual environments out with an .amlignore file in that folder (the syntax of "
            ".gitignore), or raise LOCKSTEP_SNAPSHOT_LIMIT_MB");
}

TEST_F(Snapshot, RefusesALimitThatIsNone) {
  for (const char* text : {"0", "-1", "12x", " 5", "99999999999999999999", "1.5"}) {
    ASSERT_EQ(::setenv("LOCKSTEP_SNAPSHOT_LIMIT_MB", text, 1), 0);
    EXPECT_THROW((void)too_much({}), Error) << text;
  }
  ASSERT_EQ(::unsetenv("LOCKSTEP_SNAPSHOT_LIMIT_MB"), 0);
}

TEST(CodeListing, LimitsTheNumberOfFiles) {
  CodeListing listing;
  for (int i = 0; i < 20'000; ++i) listing.entries.push_back({.path = "many/" + std::to_string(i), .link_target = ""});
  listing.files = 20'000;
  EXPECT_EQ(too_much(listing), std::nullopt);
  listing.entries.push_back({.path = "one", .link_target = ""});
  listing.files += 1;
  EXPECT_THAT(too_much(listing).value_or(""), HasSubstr("20001 files, more than"));
  EXPECT_THAT(too_much(listing).value_or(""), HasSubstr("many/: 0 bytes in 20000 files"));
}

TEST_F(Snapshot, StopsWhenCanceled) {
  write_text(code_ / "a", "x");
  const CodeListing listing = list_code(code_, never);
  EXPECT_THROW(copy_code(listing, code_, target_, [] { return true; }), Error);
  EXPECT_THROW((void)list_code(code_, [] { return true; }), Error);
}

}  // namespace
}  // namespace lockstep::compute
