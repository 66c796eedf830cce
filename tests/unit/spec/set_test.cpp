// --set: what it changes, and what its mistakes print.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "launcher/spec/read_job.hpp"

namespace lockstep::spec {
namespace {

constexpr std::string_view base = R"(command: echo ${{inputs.lr}}
inputs: {lr: 0.1}
environment: azureml:a@latest
)";

CommandJob with(std::vector<std::string> sets) { return read_job(base, "job.yml", "/jobs", sets); }

std::string printed(std::vector<std::string> sets) {
  try {
    with(std::move(sets));
  } catch (const InputErrors& e) {
    return e.what();
  }
  return "accepted";
}

TEST(Set, ReplacesAValueOfTheFile) { EXPECT_EQ(with({"inputs.lr=0.5"}).inputs.at("lr").literal, "0.5"); }

TEST(Set, MakesTheMappingsOnTheWay) {
  const CommandJob job = with({"distribution.type=mpi", "distribution.process_count_per_instance=4",
                               "resources.instance_count=2", "limits.timeout=60"});
  EXPECT_EQ(job.distribution.type, DistributionType::mpi);
  EXPECT_EQ(job.distribution.process_count_per_instance, 4);
  EXPECT_EQ(job.resources.instance_count, 2);
  EXPECT_EQ(job.timeout_s, 60);
}

TEST(Set, TheLastOfSeveralHolds) { EXPECT_EQ(with({"name=a", "name=b"}).name, "b"); }

TEST(Set, TakesTextAsItStands) {
  EXPECT_EQ(with({"command=echo a: b # c && x=1"}).command, "echo a: b # c && x=1");
  EXPECT_EQ(with({"environment_variables.A="}).environment_variables.at("A"), "");
  EXPECT_EQ(with({"inputs.lr=https://x/y=z"}).inputs.at("lr").literal, "https://x/y=z");
  EXPECT_EQ(with({"environment_variables.A=&x *y !z %"}).environment_variables.at("A"), "&x *y !z %");
}

TEST(Set, TakesFlowValuesAndQuotesAsYaml) {
  const CommandJob job = with({"inputs={lr: 1, data: {type: uri_file, path: x}}", "tags.a=' b '",
                               "resources.locations=[west, east]", R"(environment_variables.B="\ttab")"});
  EXPECT_EQ(job.inputs.at("data").path, "x");
  EXPECT_EQ(job.tags.at("a"), " b ");
  EXPECT_THAT(job.resources.locations, ::testing::ElementsAre("west", "east"));
  EXPECT_EQ(job.environment_variables.at("B"), "\ttab");
}

TEST(Set, TakesNull) {
  EXPECT_TRUE(with({"outputs.model=null"}).outputs.contains("model"));
  EXPECT_EQ(with({"tags.a=~"}).tags.at("a"), "");
}

TEST(Set, IsCheckedLikeTheFile) {
  EXPECT_EQ(printed({"resources.instance_count=0"}), "--set:1:26: resources.instance_count must be at least 1, not 0");
  EXPECT_EQ(printed({"name=ok", "comand=ls"}), "--set:2:1: unknown key 'comand'; did you mean 'command'?");
  EXPECT_EQ(printed({"command=ls ${{inputs.lt}}"}), "--set:1:12: 'inputs.lt' is not defined; did you mean 'lr'?");
  EXPECT_EQ(printed({"inputs={lr: 1, data: {pth: x}}"}),
            "--set:1:22: missing key 'path' in inputs.data\n"
            "--set:1:23: unknown key 'pth' in inputs.data; did you mean 'path'?");
}

TEST(Set, RefusesWhatIsNoAssignment) {
  EXPECT_EQ(printed({"inputs.lr"}), "--set:1:1: 'inputs.lr' has no '='; expected key=value or key.key=value");
  EXPECT_EQ(printed({"=1"}), "--set:1:1: '' has an empty key");
  EXPECT_EQ(printed({"inputs..lr=1"}), "--set:1:8: 'inputs..lr' has an empty key");
  EXPECT_EQ(printed({"inputs.=1"}), "--set:1:8: 'inputs.' has an empty key");
  EXPECT_EQ(printed({"environment.image=x"}),
            "--set:1:1: 'environment' is a single value, so 'image' can't be set in it");
  EXPECT_EQ(printed({"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q=1"}), "--set:1:1: more than 16 keys joined by dots");
}

TEST(Set, RefusesYamlThatIsNone) {
  EXPECT_EQ(printed({"inputs=[1, 2"}), "--set:1:13: end of sequence flow not found");
  EXPECT_EQ(printed({"inputs={a: 1, a: 2}"}), "--set:1:15: the key 'a' is here twice; first at line 1, column 9");
  EXPECT_EQ(printed({"name=a\xFF"}), "--set:1:7: byte 0xff is not valid UTF-8");
}

TEST(Set, MistakesOfFileAndSetsComeTogether) {
  const std::vector<std::string> sets = {"limits.timeout=-1"};
  try {
    read_job("command: echo\nnmae: x\n", "job.yml", "/jobs", sets);
    ADD_FAILURE();
  } catch (const InputErrors& e) {
    EXPECT_STREQ(e.what(),
                 "--set:1:16: limits.timeout must be at least 1, not -1\n"
                 "job.yml:2:1: unknown key 'nmae'; did you mean 'name'?");
  }
}

TEST(Set, CompletesAFileThatLacksSomething) {
  const std::vector<std::string> sets = {"command=echo"};
  EXPECT_EQ(read_job("name: x", "job.yml", "/jobs", sets).command, "echo");
}

}  // namespace
}  // namespace lockstep::spec
