#include <gmock/gmock.h>

#include "jobs.hpp"
#include "launcher/plan/secrets.hpp"
#include "launcher/spec/read_job.hpp"

namespace lockstep::plan {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(PlanPage, IsWhatAPersonReadsBeforeStarting) {
  auto job = mpi_job("python train.py --lr ${{inputs.lr}} && echo 'done'", 2, 2);
  job.code = "src";
  job.inputs["lr"] = literal("0.1");
  job.inputs["data"] = asset("https://example.org/iris.csv", spec::AssetType::uri_file);
  job.outputs["model"] = {};
  job.timeout_s = 200;
  EXPECT_EQ(to_text(plan(job, machine(4), surroundings())), R"(gentle_fox
  run          run1
  experiment   iris
  compute      local: 4 ranks on 2 nodes, 4 slots
  nodes        box/0  ranks 0-1
               box/1  ranks 2-3
  code         /home/ada/iris/src  (copied)
  folder       /ws/runs/run1
  inputs       data  = https://example.org/iris.csv  (fetched into the cache)
               lr    = 0.1
  outputs      model = /ws/runs/run1/outputs/model  (uri_folder)
  timeout      3 min 20 s
  starts       mpirun -np 4 --oversubscribe --bind-to none --mca pml ob1 --mca btl self,vader --mca shmem_mmap_enable_nfs_warning 0 /opt/lockstep/bin/lockstep entrypoint --procs-per-node 2 -- bash -c \
               'python train.py --lr 0.1 && echo '\''done'\'''
  environment  AZUREML_DATAREFERENCE_data='${{inputs.data}}'
               AZUREML_DATAREFERENCE_model=/ws/runs/run1/outputs/model
               AZURE_ML_INPUT_data='${{inputs.data}}'
               AZURE_ML_OUTPUT_model=/ws/runs/run1/outputs/model
               AZ_BATCHAI_INPUT_data='${{inputs.data}}'
               AZ_BATCHAI_OUTPUT_model=/ws/runs/run1/outputs/model
               LOCKSTEP_EXPERIMENT_NAME=iris
               LOCKSTEP_NODES=127.0.0.1,127.0.0.1
               LOCKSTEP_RUN_DIR=/ws/runs/run1
               LOCKSTEP_RUN_ID=run1
               OMP_NUM_THREADS=1
               PATH=/opt/lockstep/bin:/usr/bin:/bin
               PYTHONUNBUFFERED=1
  note         the 2 nodes are slots of this machine (box)
               OMP_NUM_THREADS=1, one thread per rank: threads of several ranks spin against each other on the same cores; set it in environment_variables to choose otherwise
)");
}

TEST(PlanPage, SaysWhatEachNodeOfATensorFlowJobDoes) {
  const std::string page = to_text(plan(tensorflow_job("x", 2, 2, 1), machine(4), surroundings()));
  EXPECT_THAT(page, HasSubstr("box/0  ranks 0-1: worker 0, ps 0\n"));
  EXPECT_THAT(page, HasSubstr("box/1  rank 2: worker 1\n"));
}

TEST(PlanJson, HasTheSameForPrograms) {
  auto job = mpi_job("./train", 1, 2);
  job.inputs["data"] = asset("https://example.org/iris.csv", spec::AssetType::uri_file);
  const auto json = to_json(plan(job, machine(4), surroundings()));
  EXPECT_EQ(json.at("run_id"), "run1");
  EXPECT_EQ(json.at("nodes"), nlohmann::json({"box"}));
  EXPECT_EQ(json.at("ranks"), nlohmann::json::parse(R"([{"rank":0,"node":0,"local_rank":0},
                                                       {"rank":1,"node":0,"local_rank":1}])"));
  EXPECT_EQ(json.at("argv").back(), "./train");
  EXPECT_EQ(json.at("environment").at("LOCKSTEP_RUN_ID"), "run1");
  EXPECT_EQ(json.at("inputs"), nlohmann::json::parse(R"([{"name":"data","how":"fetch","type":"uri_file",
      "source":"https://example.org/iris.csv","path":null}])"));
  EXPECT_TRUE(json.at("timeout_s").is_null());
  EXPECT_TRUE(json.at("code").is_null());
}

TEST(PlanJson, HoldsNoSecretAnywhere) {
  auto job = job_with("login --with sesame-open ${{inputs.token}} ${{inputs.direct}}");
  job.environment_variables["DB_PASSWORD"] = "sesame-open";
  job.environment_variables["SHORT_TOKEN"] = "abc";
  job.environment_variables["DSN"] = "db://ada:sesame-open@host";
  job.inputs["token"] = literal("tok-12345");
  job.inputs["file"] = asset("https://h/a.csv?sig=very-secret", spec::AssetType::uri_file);
  job.inputs["direct"] = asset("https://h/b.csv?sig=also-secret", spec::AssetType::uri_file);
  job.inputs["direct"].mode = spec::InputMode::direct;
  const Plan made = plan(job, machine(1), surroundings());
  EXPECT_EQ(made.environment.at("DB_PASSWORD"), "sesame-open");
  for (const std::string& shown : {to_json(made).dump(), to_text(made)}) {
    for (const char* secret : {"sesame-open", "tok-12345", "very-secret", "also-secret", "\"abc\"", "=abc"}) {
      EXPECT_THAT(shown, Not(HasSubstr(secret)));
    }
    EXPECT_THAT(shown, HasSubstr("login --with ******** ********"));
  }
}

TEST(Plan, TakesSecretsFromWhoeverSubmitsAndShowsThemNowhere) {
  auto job = job_with("login");
  job.environment_variables["HF_TOKEN"] = "${{secrets.HF_TOKEN}}";
  job.environment_variables["ADDRESS"] = "db://ada:${{ secrets.DB }}@host";
  Surroundings here = surroundings();
  here.host_environment["HF_TOKEN"] = "hf-12345";
  here.host_environment["DB"] = "sesame";
  const Plan made = plan(job, machine(1), here);
  EXPECT_EQ(made.environment.at("HF_TOKEN"), "hf-12345");
  EXPECT_EQ(made.environment.at("ADDRESS"), "db://ada:sesame@host");
  for (const std::string& shown : {to_json(made).dump(), to_text(made)}) {
    EXPECT_THAT(shown, Not(HasSubstr("hf-12345")));
    EXPECT_THAT(shown, Not(HasSubstr("sesame")));
  }
}

TEST(KeptJob, HasReferencesForSecretsOrMasksThem) {
  auto job = job_with("login sesame-open ${{inputs.file}}");
  job.description = "opens with sesame-open";
  job.tags["how"] = "sesame-open";
  job.environment_variables["DB_PASSWORD"] = "sesame-open";
  job.environment_variables["DSN"] = "db://ada:sesame-open@host";
  job.inputs["token"] = literal("tok-12345");
  job.inputs["my-file"] = asset("https://ada:pass-123@h/a.csv?sig=very-secret", spec::AssetType::uri_file);
  job.inputs["other"] = asset("https://h/b.csv?${{secrets.SAS}}", spec::AssetType::uri_file);
  job.inputs["file"] = asset("data/a.csv", spec::AssetType::uri_file);
  Surroundings here = surroundings();
  here.host_environment["SAS"] = "sig=also-secret";
  const Plan made = plan(job, machine(1), here);
  const auto source = [&](const std::string& name) {
    return std::ranges::find(made.inputs, name, &InputStep::name)->source;
  };
  EXPECT_EQ(source("my-file"), "https://ada:pass-123@h/a.csv?sig=very-secret");
  EXPECT_EQ(source("other"), "https://h/b.csv?sig=also-secret");

  const spec::CommandJob kept = kept_job(made);
  EXPECT_EQ(kept.command, "login ******** ${{inputs.file}}");
  EXPECT_EQ(kept.inputs.at("my-file").path, "https://${{secrets.MY_FILE_LOGIN}}@h/a.csv?${{secrets.MY_FILE_QUERY}}");
  EXPECT_EQ(kept.inputs.at("other").path, "https://h/b.csv?${{secrets.SAS}}");
  EXPECT_EQ(kept.inputs.at("file").path, "data/a.csv");
  EXPECT_EQ(kept.environment_variables.at("DSN"), "db://ada:********@host");
  for (const std::string& text : {spec::to_yaml(kept), to_json(made).dump(), to_text(made)}) {
    for (const char* secret : {"sesame-open", "tok-12345", "pass-123", "very-secret", "also-secret"}) {
      EXPECT_THAT(text, Not(HasSubstr(secret)));
    }
  }
}

TEST(Plan, WarnsOfASecretInTheCommandLine) {
  auto job = job_with("login sesame-open");
  job.environment_variables["DB_PASSWORD"] = "sesame-open";
  EXPECT_THAT(plan(job, machine(1), surroundings()).notes,
              ::testing::Contains(HasSubstr("the command contains the value of DB_PASSWORD")));
}

TEST(Plan, NamesTheSecretThatAnInputsAddressLacks) {
  auto job = job_with("cat ${{inputs.file}}");
  job.inputs["file"] = asset("https://h/b.csv?${{secrets.SAS}}", spec::AssetType::uri_file);
  try {
    plan(job, machine(1), surroundings());
    FAIL() << "planned without the secret";
  } catch (const InputErrors& errors) {
    EXPECT_THAT(errors.what(), HasSubstr("${{secrets.SAS}} has no value: set the variable SAS"));
  }
}

TEST(Plan, NamesTheSecretThatTheSubmitterDoesNotHave) {
  auto job = job_with("login");
  job.environment_variables["HF_TOKEN"] = "${{secrets.HF_TOKEN}}";
  try {
    plan(job, machine(1), surroundings());
    FAIL() << "planned without the secret";
  } catch (const InputErrors& errors) {
    EXPECT_THAT(errors.what(), HasSubstr("${{secrets.HF_TOKEN}} has no value: set the variable HF_TOKEN"));
  }
}

}  // namespace
}  // namespace lockstep::plan
