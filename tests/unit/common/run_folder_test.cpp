#include "common/run_folder.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "common/file.hpp"
#include "tests/support/temporary_folder.hpp"

namespace lockstep {
namespace {

class WorkspaceTest : public ::testing::Test {
 protected:
  WorkspaceTest() : before_(fs::current_path()) { ::unsetenv("LOCKSTEP_WORKSPACE"); }
  ~WorkspaceTest() override {
    fs::current_path(before_);
    ::unsetenv("LOCKSTEP_WORKSPACE");
  }
  testing::TemporaryFolder folder_;

 private:
  fs::path before_;
};

TEST_F(WorkspaceTest, IsTheNearestFolderAbove) {
  fs::create_directories(folder_ / "project/.lockstep");
  fs::create_directories(folder_ / "project/src/deep");
  fs::current_path(folder_ / "project/src/deep");
  EXPECT_EQ(fs::canonical(Workspace::find().root()), fs::canonical(folder_ / "project/.lockstep"));
}

TEST_F(WorkspaceTest, IsHereWhenThereIsNoneAndMakesNothing) {
  fs::current_path(folder_.path());
  EXPECT_EQ(Workspace::find().root(), fs::canonical(folder_.path()) / ".lockstep");
  EXPECT_FALSE(fs::exists(folder_ / ".lockstep"));
}

TEST_F(WorkspaceTest, IsWhatTheEnvironmentNames) {
  ::setenv("LOCKSTEP_WORKSPACE", (folder_ / "named").c_str(), 1);
  const Workspace workspace = Workspace::find();
  EXPECT_EQ(workspace.root(), folder_ / "named");
  workspace.create();
  EXPECT_EQ(read_file(workspace.root() / ".gitignore"), "*\n") << "no run ends up in somebody's repository";
}

TEST(RunFolder, HasEverySubFolderAfterCreate) {
  const testing::TemporaryFolder folder;
  const RunFolder run(folder / "calm_tree_1");
  run.create();
  EXPECT_EQ(run.run_id(), "calm_tree_1");
  for (const auto& file : {run.rank_log(3), run.journal(3), run.rank_file(3), run.system_log(), run.prepare_log(0)}) {
    EXPECT_TRUE(fs::is_directory(file.parent_path())) << file;
  }
}

}  // namespace
}  // namespace lockstep
