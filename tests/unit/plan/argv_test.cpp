// The whole argument list of a run, for one job of each kind.
#include <gmock/gmock.h>

#include "jobs.hpp"

namespace lockstep::plan {
namespace {

using Words = std::vector<std::string>;

Words operator+(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

const char* const program = "/opt/lockstep/bin/lockstep";
Words tuned() {
  return {"--mca", "pml", "ob1", "--mca", "btl", "self,vader", "--mca", "shmem_mmap_enable_nfs_warning", "0"};
}
Words yielding() { return {"--mca", "mpi_yield_when_idle", "1"}; }

Words mpirun(const std::string& ranks) { return {"mpirun", "-np", ranks, "--oversubscribe", "--bind-to", "none"}; }

TEST(PlanArgv, StartsAJobWithoutDistributionByTheEntrypointAlone) {
  const Plan made = plan(job_with("echo hi && date"), machine(2), surroundings());
  EXPECT_EQ(made.argv, (Words{program, "entrypoint", "--", "bash", "-c", "echo hi && date"}));
  EXPECT_EQ(launch_argv(made), made.argv);
}

TEST(PlanArgv, StartsTheRanksOfOneNodeByOneMpirun) {
  const Plan made = plan(mpi_job("./train", 1, 2), machine(2), surroundings());
  EXPECT_EQ(made.argv, (mpirun("2") + tuned() + Words{program, "entrypoint", "--", "bash", "-c", "./train"}));
}

TEST(PlanArgv, TellsTheEntrypointHowManyRanksANodeHasWhenThereAreSeveral) {
  const Plan made = plan(mpi_job("./train", 3, 2), machine(8), surroundings());
  EXPECT_EQ(made.argv, (mpirun("6") + tuned() +
                        Words{program, "entrypoint", "--procs-per-node", "2", "--", "bash", "-c", "./train"}));
}

TEST(PlanArgv, YieldsWhenRanksOutnumberTheCores) {
  const Plan made = plan(mpi_job("./train", 1, 4), machine(2), surroundings());
  EXPECT_EQ(made.argv,
            (mpirun("4") + tuned() + yielding() + Words{program, "entrypoint", "--", "bash", "-c", "./train"}));
}

TEST(PlanArgv, StartsAJobWithoutDistributionOncePerNode) {
  auto job = job_with("./train");
  job.resources.instance_count = 2;
  const Plan made = plan(job, machine(2), surroundings());
  EXPECT_EQ(made.argv, (mpirun("2") + tuned() +
                        Words{program, "entrypoint", "--procs-per-node", "1", "--", "bash", "-c", "./train"}));
}

TEST(PlanArgv, TellsTheEntrypointTheToolkit) {
  auto job = mpi_job("./train", 2, 2);
  job.distribution.type = spec::DistributionType::pytorch;
  EXPECT_EQ(
      plan(job, machine(4), surroundings()).argv,
      (mpirun("4") + tuned() +
       Words{program, "entrypoint", "--toolkit", "pytorch", "--procs-per-node", "2", "--", "bash", "-c", "./train"}));
  job.distribution.type = spec::DistributionType::horovod;
  EXPECT_EQ(plan(job, machine(4), surroundings()).argv,
            plan(mpi_job("./train", 2, 2), machine(4), surroundings()).argv);
}

TEST(PlanArgv, NeedsNoMpirunForOneProcessOfPyTorch) {
  auto job = mpi_job("./train", 1, 1);
  job.distribution.type = spec::DistributionType::pytorch;
  EXPECT_EQ(plan(job, machine(2), surroundings()).argv,
            (Words{program, "entrypoint", "--toolkit", "pytorch", "--", "bash", "-c", "./train"}));
}

TEST(PlanArgv, TellsTheEntrypointTheTasksOfATensorFlowJob) {
  const Plan made = plan(tensorflow_job("./train", 2, 2, 1), machine(4), surroundings());
  EXPECT_EQ(made.argv, (mpirun("3") + tuned() +
                        Words{program, "entrypoint", "--toolkit", "tensorflow", "--nodes", "2", "--workers", "2",
                              "--parameter-servers", "1", "--", "bash", "-c", "./train"}));
  EXPECT_EQ(made.ports, 3);
}

TEST(PlanArgv, LeavesToThePersonWhatTheyChoseByVariables) {
  auto job = mpi_job("./train", 1, 2);
  job.environment_variables["OMPI_MCA_btl"] = "self,tcp";
  auto around = surroundings();
  around.host_environment["OMPI_MCA_pml"] = "ucx";
  const Plan made = plan(job, machine(2), around);
  EXPECT_EQ(made.argv, (mpirun("2") + Words{"--mca", "shmem_mmap_enable_nfs_warning", "0", program, "entrypoint", "--",
                                            "bash", "-c", "./train"}));
}

TEST(PlanArgv, KeepsALoneColonFromEndingMpirunsProgram) {
  EXPECT_EQ(plan(mpi_job(":", 1, 2), machine(2), surroundings()).argv.back(), ": ");
}

TEST(PlanArgv, ReplacesReferencesInTheCommand) {
  auto job = job_with("train --lr ${{inputs.lr}} --data ${{ inputs.data }} --out ${{outputs.model}} --id ${{name}}");
  job.inputs["lr"] = literal("0.1");
  job.inputs["data"] = asset("data/train", spec::AssetType::uri_folder);
  job.outputs["model"] = {};
  EXPECT_EQ(launch_argv(plan(job, machine(2), surroundings())).back(),
            "train --lr 0.1 --data /home/ada/iris/data/train --out /ws/runs/run1/outputs/model --id run1");
}

TEST(PlanArgv, TellsTheEntrypointThePreparationWithItsReferencesReplaced) {
  auto job = mpi_job("./train", 1, 2);
  job.preparation = "pip install ${{inputs.package}}";
  job.inputs["package"] = literal("numpy");
  const Plan made = plan(job, machine(2), surroundings());
  EXPECT_EQ(made.argv,
            (mpirun("2") + tuned() +
             Words{program, "entrypoint", "--job-preparation", "pip install numpy", "--", "bash", "-c", "./train"}));
  EXPECT_EQ(launch_argv(made), made.argv);
  EXPECT_EQ(to_json(made)["preparation"], "pip install numpy");
  EXPECT_EQ(to_json(plan(mpi_job("./train", 1, 2), machine(2), surroundings()))["preparation"], nullptr);
}

TEST(PlanArgv, DropsTheSegmentOfAnOptionalInputThatIsUnset) {
  auto job = job_with("train $[[--from ${{inputs.checkpoint}}]] --lr ${{inputs.lr}}");
  job.inputs["lr"] = literal("0.1");
  job.inputs["checkpoint"] = asset("", spec::AssetType::uri_file);
  job.inputs["checkpoint"].optional = true;
  EXPECT_EQ(launch_argv(plan(job, machine(2), surroundings())).back(), "train  --lr 0.1");
}

TEST(PlanArgv, DoesNotLookForReferencesInWhatALiteralHolds) {
  auto job = job_with("echo '${{inputs.text}}' ${{inputs.file}}");
  job.inputs["text"] = literal("${{inputs.file}}");
  job.inputs["file"] = asset("https://example.org/a.csv", spec::AssetType::uri_file);
  Plan made = plan(job, machine(2), surroundings());
  set_input_path(made, "file", "/cache/a.csv");
  EXPECT_EQ(launch_argv(made).back(), "echo '${{inputs.file}}' /cache/a.csv");
}

TEST(PlanArgv, KeepsTheReferenceOfAFetchedInputUntilItHasItsPath) {
  auto job = job_with("wc ${{ inputs.file }}");
  job.inputs["file"] = asset("https://example.org/a.csv", spec::AssetType::uri_file);
  Plan made = plan(job, machine(2), surroundings());
  EXPECT_EQ(made.command, "wc ${{inputs.file}}");
  EXPECT_THROW((void)launch_argv(made), Error);
  set_input_path(made, "file", "/cache/a.csv");
  EXPECT_EQ(launch_argv(made).back(), "wc /cache/a.csv");
  EXPECT_EQ(made.environment.at("AZURE_ML_INPUT_file"), "/cache/a.csv");
  EXPECT_EQ(made.environment.at("AZUREML_DATAREFERENCE_file"), "/cache/a.csv");
}

TEST(PlanArgv, RefusesACommandThatTheSystemWouldRefuse) {
  EXPECT_EQ(refusal(job_with(std::string(131071, 'x'))), "");
  EXPECT_THAT(refusal(job_with(std::string(131072, 'x'))), ::testing::HasSubstr("131071 at most"));
}

}  // namespace
}  // namespace lockstep::plan
