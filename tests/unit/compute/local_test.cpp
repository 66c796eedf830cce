#include "launcher/compute/local.hpp"

#include <gmock/gmock.h>
#include <sched.h>

#include "common/digest.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/web_server.hpp"
#include "tests/support/write_text.hpp"

namespace lockstep::compute {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TemporaryFolder;
using testing::WebServer;
using testing::write_text;

class Local : public ::testing::Test {
 protected:
  Local() {
    ::setenv("no_proxy", "*", 1);
    ::setenv("LOCKSTEP_CACHE", (folder_ / "cache").c_str(), 1);
    job_.command = "x";
    job_.folder = folder_ / "job";
    fs::create_directories(job_.folder);
  }
  plan::Plan make_plan() const {
    plan::Surroundings around;
    around.run_id = "run1";
    around.run_folder = folder_ / "ws/runs/run1";
    around.lockstep_program = this_program();  // any program: check() looks whether it is there
    around.host_environment = current_environment();
    return plan::plan(job_, plan::LocalCompute{"box", 2}, around);
  }
  void add_input(const std::string& name, const std::string& path, spec::AssetType type) {
    spec::Input input;
    input.is_literal = false;
    input.path = path;
    input.type = type;
    job_.inputs[name] = input;
  }
  std::vector<std::string> problems() const {
    std::vector<std::string> texts;
    for (const auto& each : check(make_plan())) texts.push_back(each.text());
    return texts;
  }
  Prepared prepare_it(plan::Plan& plan) {
    return prepare(
        plan, [&](const std::string& line) { said_ += line + "\n"; }, [] { return false; });
  }
  void collect_it(const plan::Plan& plan) {
    collect(plan, [&](const std::string& line) { said_ += line + "\n"; });
  }
  TemporaryFolder folder_;
  spec::CommandJob job_;
  std::string said_;
};

TEST(ThisMachine, HasAsManySlotsAsItMayUseCores) {
  ASSERT_EQ(::unsetenv("LOCKSTEP_SLOTS"), 0);
  cpu_set_t allowed;
  ASSERT_EQ(::sched_getaffinity(0, sizeof allowed, &allowed), 0);
  EXPECT_EQ(this_machine().slots, CPU_COUNT(&allowed));
  EXPECT_FALSE(this_machine().host_name.empty());
}

TEST(ThisMachine, HasAsManySlotsAsAPersonSays) {
  ASSERT_EQ(::setenv("LOCKSTEP_SLOTS", "7", 1), 0);
  EXPECT_EQ(this_machine().slots, 7);
  for (const char* text : {"0", "-2", "two", "2.5", "99999999999"}) {
    ASSERT_EQ(::setenv("LOCKSTEP_SLOTS", text, 1), 0);
    EXPECT_THROW((void)this_machine(), Error) << text;
  }
  ASSERT_EQ(::unsetenv("LOCKSTEP_SLOTS"), 0);
}

TEST_F(Local, ChecksEverythingAtOnceAndCreatesNothing) {
  write_text(job_.folder / "file.csv", "1");
  fs::create_directories(job_.folder / "folder");
  job_.code = "src";
  add_input("gone", "no/such", spec::AssetType::uri_folder);
  add_input("not_a_file", "folder", spec::AssetType::uri_file);
  add_input("not_a_folder", "file.csv", spec::AssetType::uri_folder);
  add_input("fine", "file.csv", spec::AssetType::uri_file);
  add_input("web", "https://example.org/a.csv", spec::AssetType::uri_file);
  job_.outputs["o"].path = "file.csv";
  const std::string at = job_.folder.string();
  EXPECT_THAT(problems(),
              ElementsAre("code: no folder is at " + at + "/src", "inputs.gone.path: nothing is at " + at + "/no/such",
                          AllOf(HasSubstr("inputs.not_a_file.path: "), HasSubstr("is a folder")),
                          AllOf(HasSubstr("inputs.not_a_folder.path: "), HasSubstr("`type: uri_file`")),
                          HasSubstr("outputs.o.path: " + at + "/file.csv is a file")));
  EXPECT_FALSE(fs::exists(folder_ / "ws"));
  EXPECT_FALSE(fs::exists(folder_ / "cache"));
}

TEST_F(Local, ChecksThatCodeIsAFolderOfAFittingSize) {
  write_text(job_.folder / "train.py", "1");
  job_.code = "train.py";
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("code: " + job_.folder.string() + "/train.py is a file")));
  job_.code = ".";
  EXPECT_THAT(problems(), IsEmpty());
  ASSERT_EQ(::setenv("LOCKSTEP_SNAPSHOT_LIMIT_MB", "1", 1), 0);
  write_text(job_.folder / "big", std::string((1 << 20) + 1, 'x'));
  EXPECT_THAT(problems(), ElementsAre(AllOf(HasSubstr("big: 1.0 MiB"), HasSubstr(".amlignore"))));
  ASSERT_EQ(::unsetenv("LOCKSTEP_SNAPSHOT_LIMIT_MB"), 0);
}

TEST_F(Local, ChecksThatMpirunIsThere) {
  job_.distribution.type = spec::DistributionType::mpi;
  job_.environment_variables["PATH"] = "/nowhere";
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("package openmpi-bin")));
}

TEST_F(Local, PreparesCodeInputsAndOutputs) {
  write_text(job_.folder / "src/train.py", "print(1)\n");
  write_text(job_.folder / "data/a.csv", "1,2\n");
  job_.code = "src";
  add_input("table", "data/a.csv", spec::AssetType::uri_file);
  job_.outputs["model"] = {};
  job_.outputs["report"].type = spec::AssetType::uri_file;
  job_.outputs["elsewhere"].path = "results/deep";
  plan::Plan plan = make_plan();
  const Prepared prepared = prepare_it(plan);
  EXPECT_EQ(read_file(plan.working_folder / "train.py"), "print(1)\n");
  EXPECT_EQ(prepared.snapshot_files, 1);
  EXPECT_EQ(prepared.snapshot_bytes, 9);
  EXPECT_EQ(prepared.snapshot_sha256.size(), 64);
  ASSERT_EQ(prepared.inputs.size(), 1);
  EXPECT_EQ(prepared.inputs[0].source, (job_.folder / "data/a.csv").string());
  EXPECT_EQ(prepared.inputs[0].bytes, 4);
  EXPECT_TRUE(fs::is_directory(plan.folder.outputs() / "model"));
  EXPECT_FALSE(fs::exists(plan.folder.outputs() / "report"));
  EXPECT_TRUE(fs::is_directory(job_.folder / "results/deep"));
  EXPECT_THAT(said_, HasSubstr("code: copied 1 file (9 bytes)"));
}

TEST_F(Local, StartsInAnEmptyFolderWithoutCode) {
  plan::Plan plan = make_plan();
  EXPECT_EQ(prepare_it(plan).snapshot_files, 0);
  std::vector<std::string> names;
  for (const auto& each : fs::directory_iterator(plan.working_folder)) names.push_back(each.path().filename());
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("outputs", "logs"));
}

TEST_F(Local, RefusesToPrepareTwice) {
  plan::Plan plan = make_plan();
  prepare_it(plan);
  EXPECT_THROW(prepare_it(plan), Error);
}

TEST_F(Local, FetchesWebInputsAndTellsThePlan) {
  const WebServer server;
  server.put("iris.csv", "1,2\n");
  job_.command = "wc ${{inputs.iris}}";
  add_input("iris", server.address("/iris.csv?sig=very-secret"), spec::AssetType::uri_file);
  plan::Plan plan = make_plan();
  const Prepared prepared = prepare_it(plan);
  const fs::path path = plan.inputs[0].path;
  EXPECT_EQ(read_file(path), "1,2\n");
  EXPECT_EQ(launch_argv(plan).back(), "wc " + path.string());
  EXPECT_EQ(plan.environment.at("AZURE_ML_INPUT_iris"), path.string());
  EXPECT_EQ(prepared.inputs[0].sha256, sha256_hex("1,2\n"));
  EXPECT_EQ(prepared.inputs[0].source, server.address("/iris.csv?********"));
}

TEST_F(Local, NamesTheInputThatCannotBeFetched) {
  const WebServer server;
  add_input("iris", server.address("/iris.csv"), spec::AssetType::uri_file);
  plan::Plan plan = make_plan();
  try {
    prepare_it(plan);
    ADD_FAILURE() << "it was fetched";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("input 'iris': "), HasSubstr("404")));
  }
}

TEST_F(Local, HasWhatTheRanksWriteInPlaceAtOnce) {
  plan::Plan plan = make_plan();
  prepare_it(plan);
  write_text(plan.working_folder / "outputs/model.bin", "m");
  write_text(plan.working_folder / "logs/rank-0.log", "mine");
  write_text(plan.folder.rank_log(0), "the rank's");
  EXPECT_EQ(read_file(plan.folder.outputs() / "model.bin"), "m");
  EXPECT_EQ(read_file(plan.folder.logs() / "user/rank-0.log"), "mine");
  EXPECT_EQ(read_file(plan.folder.rank_log(0)), "the rank's");
}

TEST_F(Local, MovesResultsOfEarlierTimesOutOfTheCode) {
  write_text(job_.folder / "src/outputs/old.bin", "o");
  write_text(job_.folder / "src/logs/old.log", "l");
  job_.code = "src";
  plan::Plan plan = make_plan();
  prepare_it(plan);
  EXPECT_EQ(read_file(plan.folder.outputs() / "old.bin"), "o");
  EXPECT_EQ(read_file(plan.working_folder / "outputs/old.bin"), "o");
  EXPECT_EQ(read_file(plan.folder.logs() / "user/old.log"), "l");
  EXPECT_EQ(read_file(job_.folder / "src/outputs/old.bin"), "o");
}

TEST_F(Local, GathersFoldersThatReplacedTheLinksAndOverwritesNothing) {
  plan::Plan plan = make_plan();
  prepare_it(plan);
  write_text(plan.working_folder / "outputs/model.bin", "first");
  write_text(plan.working_folder / "outputs/deep/x", "first");
  fs::remove(plan.working_folder / "outputs");
  write_text(plan.working_folder / "outputs/model.bin", "second");
  write_text(plan.working_folder / "outputs/deep/x", "second");
  write_text(plan.working_folder / "outputs/deep/y", "second");
  collect_it(plan);
  EXPECT_EQ(read_file(plan.folder.outputs() / "model.bin"), "first");
  EXPECT_EQ(read_file(plan.folder.outputs() / "model.bin.1"), "second");
  EXPECT_EQ(read_file(plan.folder.outputs() / "deep/x.1"), "second");
  EXPECT_EQ(read_file(plan.folder.outputs() / "deep/y"), "second");
  EXPECT_FALSE(fs::exists(plan.working_folder / "outputs"));
  EXPECT_THAT(said_, HasSubstr("kept as model.bin.1"));
}

TEST_F(Local, SaysWhichOutputsNobodyWrote) {
  job_.outputs["model"] = {};
  job_.outputs["report"].type = spec::AssetType::uri_file;
  plan::Plan plan = make_plan();
  prepare_it(plan);
  write_text(plan.folder.outputs() / "report", "r");
  collect_it(plan);
  EXPECT_THAT(said_, AllOf(HasSubstr("output 'model': nothing was written to"), HasSubstr("output 'report': /")));
}

}  // namespace
}  // namespace lockstep::compute
