#include "history/server/artifact_paths.hpp"

#include <gtest/gtest.h>

#include "common/error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace lockstep::history::server {
namespace {

class ArtifactPaths : public ::testing::Test {
 protected:
  ArtifactPaths() { workspace_.create(); }

  fs::path at(const std::string& path) const { return artifact_path(workspace_, path); }
  std::string below(const std::string& path) const { return at(path).lexically_relative(root()).generic_string(); }
  bool refused(const std::string& path) const {
    try {
      at(path);
    } catch (const Error& error) {
      return error.code() == ExitCode::bad_input;
    }
    return false;
  }
  fs::path root() const { return fs::canonical(workspace_.root()); }

  testing::TemporaryFolder folder_;
  Workspace workspace_{folder_ / ".lockstep"};
};

TEST_F(ArtifactPaths, OfARunLieInItsOutputs) {
  EXPECT_EQ(below("0/abc/artifacts/model/weights.bin"), "runs/abc/outputs/model/weights.bin");
  EXPECT_EQ(below("12/train-3_b/artifacts"), "runs/train-3_b/outputs");
}

TEST_F(ArtifactPaths, OfALoggedModelLieInItsFolder) {
  EXPECT_EQ(below("0/models/m-1f/artifacts/MLmodel"), "models/m-1f/artifacts/MLmodel");
  EXPECT_EQ(below("0/models/artifacts/x"), "runs/models/outputs/x");  // a run may have that name
}

TEST_F(ArtifactPaths, OfEverythingElseLieTogether) {
  EXPECT_EQ(below(""), "artifacts");
  EXPECT_EQ(below("0"), "artifacts/0");
  EXPECT_EQ(below("some/where/x.txt"), "artifacts/some/where/x.txt");
  EXPECT_EQ(below("x/abc/artifacts/y"), "artifacts/x/abc/artifacts/y");
  EXPECT_EQ(below("0/.hidden/artifacts/y"), "artifacts/0/.hidden/artifacts/y");
  EXPECT_EQ(below("0/models/x-1/artifacts/y"), "artifacts/0/models/x-1/artifacts/y");
  EXPECT_EQ(below("%2e%2e/x"), "artifacts/%2e%2e/x");  // decoded already: just a name
  EXPECT_EQ(below("a..b/...c"), "artifacts/a..b/...c");
}

TEST_F(ArtifactPaths, ThatAreNoPlainRelativePathsAreRefused) {
  for (const char* path : {"/", "/etc/passwd", "..", "../x", "a/..", "a/../b", "0/abc/artifacts/../../x", ".", "./a",
                           "a/.", "a/./b", "a//b", "a/", "0/abc/artifacts/", "0//artifacts/x"}) {
    EXPECT_TRUE(refused(path)) << path;
  }
}

TEST_F(ArtifactPaths, ThatHoldOddBytesAreRefused) {
  for (const std::string& path :
       {std::string("a\0b", 3), std::string("a\\b"), std::string("..\\b"), std::string("a\nb"), std::string("a\x7f"),
        std::string("a\xff"), std::string("\xc0\xae\xc0\xae/x")}) {
    EXPECT_TRUE(refused(path)) << path;
  }
  EXPECT_FALSE(refused("a b \"c\" #ü 日本"));
}

TEST_F(ArtifactPaths, ThatAreTooLongAreRefused) {
  EXPECT_FALSE(refused(std::string(255, 'a')));
  EXPECT_TRUE(refused(std::string(256, 'a')));
  std::string deep;
  for (int i = 0; i < 3000; ++i) deep += "aa/";
  EXPECT_TRUE(refused(deep + "a"));
}

TEST_F(ArtifactPaths, ThatLeadOutByALinkAreRefused) {
  const fs::path outputs = workspace_.run("abc").outputs();
  fs::create_directories(outputs / "inside");
  fs::create_directories(folder_ / "outside");
  fs::create_directory_symlink(folder_ / "outside", outputs / "out");
  fs::create_directory_symlink("..", outputs / "up");
  fs::create_directory_symlink("inside", outputs / "same");
  fs::create_symlink("/etc/passwd", outputs / "file");
  EXPECT_TRUE(refused("0/abc/artifacts/out"));
  EXPECT_TRUE(refused("0/abc/artifacts/out/new"));
  EXPECT_TRUE(refused("0/abc/artifacts/up/job.yml"));
  EXPECT_TRUE(refused("0/abc/artifacts/file"));
  EXPECT_EQ(below("0/abc/artifacts/same/x"), "runs/abc/outputs/same/x");
}

TEST_F(ArtifactPaths, OfARootThatBecameALinkAreRefused) {
  fs::create_directories(workspace_.run("abc").root());
  fs::create_directories(folder_ / "outside");
  fs::create_directory_symlink(folder_ / "outside", workspace_.run("abc").outputs());
  EXPECT_TRUE(refused("0/abc/artifacts"));
  EXPECT_TRUE(refused("0/abc/artifacts/x"));
}

TEST_F(ArtifactPaths, FollowARunFolderThatLiesElsewhere) {
  fs::create_directories(folder_ / "shared" / "abc" / "outputs");
  fs::create_directory_symlink(folder_ / "shared" / "abc", workspace_.run("abc").root());
  EXPECT_EQ(at("0/abc/artifacts/x"), fs::canonical(folder_ / "shared") / "abc" / "outputs" / "x");
}

TEST_F(ArtifactPaths, OfALinkThatPointsInACircleAreRefused) {
  fs::create_directories(workspace_.artifacts());
  fs::create_symlink("b", workspace_.artifacts() / "a");
  fs::create_symlink("a", workspace_.artifacts() / "b");
  EXPECT_TRUE(refused("a/x"));
}

}  // namespace
}  // namespace lockstep::history::server
