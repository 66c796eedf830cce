// Where a workspace keeps its computes.
#include "launcher/compute/definitions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/write_text.hpp"

namespace lockstep::compute {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Definitions : public ::testing::Test {
 protected:
  spec::ReadCompute saved(const std::string& text) const {
    spec::ReadCompute definition = spec::read_compute(text, "c.yml", "/files");
    save(workspace, definition);
    return definition;
  }
  template <class Action>
  static std::string error_of(Action action, ExitCode code) {
    try {
      action();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), code);
      return e.what();
    }
    return "none";
  }

  testing::TemporaryFolder folder;
  Workspace workspace{folder / ".lockstep"};
};

TEST_F(Definitions, AreReadAsTheyWereSaved) {
  const auto rack = saved("{name: rack, engine: {type: hosts, hosts: 'n[1-2]', ssh: {config_file: config}}}");
  EXPECT_EQ(find(workspace, "rack"), rack.compute);
  EXPECT_EQ(read_file(workspace.compute_file("rack")), rack.yaml);
  EXPECT_TRUE(fs::exists(folder / ".lockstep" / ".gitignore"));
}

TEST_F(Definitions, AreReplacedByOnesOfTheSameName) {
  saved("{name: c1, max_instances: 2}");
  saved("{name: c1, max_instances: 3}");
  EXPECT_EQ(find(workspace, "c1").max_instances, 3);
}

TEST_F(Definitions, AreListedInTheOrderOfTheirNames) {
  EXPECT_THAT(list(workspace), IsEmpty());
  EXPECT_FALSE(fs::exists(workspace.root()));
  const auto zoo = saved("name: zoo");
  const auto ant = saved("name: ant");
  testing::write_text(workspace.computes() / "ant.yml.part-1", "half of");
  testing::write_text(workspace.computes() / "notes.txt", "mine");
  EXPECT_THAT(list(workspace), ElementsAre(ant.compute, zoo.compute));
}

TEST_F(Definitions, AreGoneWhenTheyAreRemoved) {
  saved("name: c1");
  remove(workspace, "c1");
  EXPECT_THAT(list(workspace), IsEmpty());
  EXPECT_EQ(error_of([&] { remove(workspace, "c1"); }, ExitCode::not_found), "there is no compute 'c1'");
}

TEST_F(Definitions, SayWhichNameWasMeant) {
  saved("name: cpu-cluster");
  EXPECT_EQ(error_of([&] { find(workspace, "cpu-clutser"); }, ExitCode::not_found),
            "there is no compute 'cpu-clutser'; did you mean 'cpu-cluster'?");
  EXPECT_EQ(error_of([&] { remove(workspace, "../compute/cpu-cluster"); }, ExitCode::not_found),
            "there is no compute '../compute/cpu-cluster'");
}

TEST_F(Definitions, AreRefusedWhenSomebodyDamagedThem) {
  testing::write_text(workspace.compute_file("c1"), "name: c2");
  EXPECT_EQ(error_of([&] { find(workspace, "c1"); }, ExitCode::failed),
            workspace.compute_file("c1").string() + ": its name is 'c2'");
  testing::write_text(workspace.compute_file("c1"), "name: c1\nsise: 1\n");
  EXPECT_EQ(error_of([&] { list(workspace); }, ExitCode::bad_input),
            workspace.compute_file("c1").string() + ":2:1: unknown key 'sise'; did you mean 'size'?");
}

}  // namespace
}  // namespace lockstep::compute
