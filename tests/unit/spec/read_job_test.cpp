// Good job files: every key, every default, and the shapes that Azure ML's users write.
#include "launcher/spec/read_job.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "common/error.hpp"

namespace lockstep::spec {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

CommandJob read(std::string_view text) { return read_job(text, "job.yml", "/jobs"); }

TEST(ReadJob, DefaultsAreAzureMls) {
  const CommandJob job = read("command: echo");
  EXPECT_EQ(job.command, "echo");
  EXPECT_EQ(job.folder, "/jobs");
  EXPECT_EQ(job.compute, "");
  EXPECT_EQ(job.distribution.type, DistributionType::none);
  EXPECT_EQ(job.distribution.process_count_per_instance, 1);
  EXPECT_EQ(job.resources.instance_count, 1);
  EXPECT_FALSE(job.timeout_s.has_value());
  EXPECT_TRUE(job.environment.empty());
  const CommandJob data = read("{command: x, inputs: {a: {path: p}}, outputs: {b: null, c: {}}}");
  EXPECT_EQ(data.inputs.at("a").type, AssetType::uri_folder);
  EXPECT_EQ(data.inputs.at("a").mode, InputMode::ro_mount);
  EXPECT_FALSE(data.inputs.at("a").is_literal);
  EXPECT_EQ(data.outputs.at("b").type, AssetType::uri_folder);
  EXPECT_EQ(data.outputs.at("b").mode, OutputMode::rw_mount);
  EXPECT_EQ(data.outputs.at("b").path, "");
  EXPECT_EQ(data.outputs.at("c"), data.outputs.at("b"));
}

TEST(ReadJob, APlainTextIsALiteralEvenIfItLooksLikeAUrl) {
  const CommandJob job = read(R"(command: x
inputs:
  url: https://example.com/iris.csv
  path: ./data
  asset: azureml:iris@latest
  number: 0.10
  truth: True
  date: 2024-01-01
  quoted: "007"
  long: {value: 1e-3}
)");
  for (const auto& [name, input] : job.inputs) EXPECT_TRUE(input.is_literal) << name;
  EXPECT_EQ(job.inputs.at("url").literal, "https://example.com/iris.csv");
  EXPECT_EQ(job.inputs.at("number").literal, "0.10");
  EXPECT_EQ(job.inputs.at("truth").literal, "True");
  EXPECT_EQ(job.inputs.at("date").literal, "2024-01-01");
  EXPECT_EQ(job.inputs.at("quoted").literal, "007");
  EXPECT_EQ(job.inputs.at("long").literal, "1e-3");
}

TEST(ReadJob, EnvironmentVariablesAreTheirText) {
  const CommandJob job =
      read("{command: x, environment_variables: {A: 1, B: yes, C: 1e3, D: 0x10, E: on, F: '', G: 1.0, H: false}}");
  EXPECT_THAT(job.environment_variables,
              ElementsAre(Pair("A", "1"), Pair("B", "yes"), Pair("C", "1e3"), Pair("D", "0x10"), Pair("E", "on"),
                          Pair("F", ""), Pair("G", "1.0"), Pair("H", "false")));
}

TEST(ReadJob, ComputeIsItsName) {
  EXPECT_EQ(read("{command: x, compute: 'azureml:cpu-cluster'}").compute, "cpu-cluster");
  EXPECT_EQ(read("{command: x, compute: gpu-v100-1GPU-cluster}").compute, "gpu-v100-1GPU-cluster");
  EXPECT_EQ(read("{command: x, compute: local}").compute, "");
  EXPECT_EQ(read("{command: x, compute: 'azureml:local'}").compute, "");
  EXPECT_EQ(read("{command: x, compute: 'azureml:/subscriptions/1f/resourceGroups/my.rg/computes/cpu'}").compute,
            "/subscriptions/1f/resourceGroups/my.rg/computes/cpu");
  EXPECT_EQ(read("{command: x, compute: 'azureml:serverless'}").compute, "serverless");
}

TEST(ReadJob, ReadsADistributedPyTorchJob) {
  const CommandJob job = read(R"($schema: https://azuremlschemas.azureedge.net/latest/commandJob.schema.json
code: src
command: >-
  python train.py
  --epochs ${{inputs.epochs}}
  --data-dir ${{inputs.cifar}}
inputs:
  epochs: 1
  cifar:
    type: uri_folder
    path: azureml:cifar-10-example@latest
    mode: download
environment: azureml:AzureML-acpt-pytorch-2.8-cuda12.6@latest
compute: azureml:gpu-cluster
distribution:
  type: PyTorch
  process_count_per_instance: "1"
resources:
  instance_count: 2
  shm_size: 16G
display_name: pytorch-cifar-distributed-example
experiment_name: pytorch-cifar-distributed-example
description: Train a basic convolutional neural network (CNN) on several nodes.
)");
  EXPECT_EQ(job.command, "python train.py --epochs ${{inputs.epochs}} --data-dir ${{inputs.cifar}}");
  EXPECT_EQ(job.inputs.at("cifar").mode, InputMode::download);
  EXPECT_EQ(job.distribution.type, DistributionType::pytorch);
  EXPECT_EQ(job.resources.instance_count, 2);
  EXPECT_EQ(job.resources.shm_size, "16G");
  EXPECT_EQ(job.environment.reference, "azureml:AzureML-acpt-pytorch-2.8-cuda12.6@latest");
}

TEST(ReadJob, ReadsATensorFlowJob) {
  const CommandJob job = read(R"(type: command
code: src
command: python train.py --epochs ${{inputs.epochs}} --model-dir ${{outputs.model}}
inputs: {epochs: 1}
outputs:
  model:
    type: custom_model
    mode: mount
    path: azureml://datastores/workspaceblobstore/paths/models/${{name}}
    name: mnist
    version: 3
environment: azureml:AzureML-tensorflow-2.16-cuda12@latest
resources: {instance_count: 2}
distribution: {type: tensorflow, worker_count: 2, parameter_server_count: 1}
)");
  EXPECT_EQ(job.distribution.worker_count, 2);
  EXPECT_EQ(job.distribution.parameter_server_count, 1);
  const Output& model = job.outputs.at("model");
  EXPECT_EQ(model.type, AssetType::custom_model);
  EXPECT_EQ(model.mode, OutputMode::rw_mount);
  EXPECT_EQ(model.path, "azureml://datastores/workspaceblobstore/paths/models/${{name}}");
  EXPECT_EQ(model.asset_name, "mnist");
  EXPECT_EQ(model.asset_version, "3");
}

TEST(ReadJob, ReadsInlineEnvironments) {
  const CommandJob job = read(R"(command: python main.py
environment:
  image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04
  name: docker-image-plus-conda-example
  version: 1.0
  os_type: Linux
  tags: {a: b}
  conda_file:
    channels: [conda-forge]
    dependencies:
      - python=3.11
      - pip: ["mlflow>=2", "x==1.10"]
)");
  EXPECT_EQ(job.environment.image, "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04");
  EXPECT_EQ(job.environment.version, "1.0");
  EXPECT_EQ(job.environment.os_type, "linux");
  EXPECT_EQ(job.environment.conda_file, "");
  EXPECT_EQ(job.environment.conda_inline,
            "channels:\n  - conda-forge\ndependencies:\n  - python=3.11\n  -\n    pip:\n      - mlflow>=2\n"
            "      - x==1.10\n");
  const CommandJob build = read("{command: x, environment: {build: {path: docker, dockerfile_path: D}}}");
  EXPECT_EQ(build.environment.build_path, "docker");
  EXPECT_EQ(build.environment.dockerfile_path, "D");
  EXPECT_EQ(read("{command: x, environment: {image: y, conda_file: conda.yaml}}").environment.conda_file, "conda.yaml");
}

TEST(ReadJob, ReadsServicesIdentityAndQueueSettings) {
  const CommandJob job = read(R"(command: sleep 1h
services:
  my_ssh: {type: ssh, ssh_public_keys: ssh-ed25519 AAAA, nodes: all}
  my_tensorboard: {type: tensor_board, log_dir: outputs/tblogs}
  my_jupyter: {type: jupyter_lab}
  my_vscode: {type: vs_code, properties: {a: 1, b: {c: [1, x, true, null]}}}
  other: {type: custom, port: 8080, endpoint: http://x, status: Running, error_message: null}
identity: {type: managed_identity, client_id: 1234}
queue_settings: {job_tier: Spot, priority: HIGH}
)");
  EXPECT_EQ(job.services.at("my_ssh").ssh_public_keys, "ssh-ed25519 AAAA");
  EXPECT_EQ(job.services.at("my_ssh").nodes, "all");
  EXPECT_EQ(job.services.at("my_tensorboard").log_dir, "outputs/tblogs");
  EXPECT_EQ(job.services.at("my_vscode").properties.at("b"), R"({"c":[1,"x",true,null]})");
  EXPECT_EQ(job.services.at("other").port, 8080);
  EXPECT_EQ(job.identity_type, "managed");
  EXPECT_THAT(job.identity, ElementsAre(Pair("client_id", "1234")));
  EXPECT_EQ(job.queue_job_tier, "spot");
  EXPECT_EQ(job.queue_priority, "high");
  EXPECT_EQ(read("{command: x, identity: {type: user_identity}}").identity_type, "user_identity");
}

TEST(ReadJob, ReadsResourcesAndLimits) {
  const CommandJob job = read(R"(command: x
resources:
  instance_type: Standard_NC24s_v3
  instance_count: 4
  docker_args: --ipc=host
  locations: [westus, eastus]
  max_instance_count: 8
  properties: {AISuperComputer: {scalePolicy: {enabled: true}}, plain: text}
limits: {timeout: 900}
)");
  EXPECT_EQ(job.resources.instance_type, "Standard_NC24s_v3");
  EXPECT_EQ(job.resources.docker_args, "--ipc=host");
  EXPECT_THAT(job.resources.locations, ElementsAre("westus", "eastus"));
  EXPECT_EQ(job.resources.max_instance_count, 8);
  EXPECT_EQ(job.resources.properties.at("AISuperComputer"), R"({"scalePolicy":{"enabled":true}})");
  EXPECT_EQ(job.resources.properties.at("plain"), "text");
  EXPECT_EQ(job.timeout_s, 900);
}

TEST(ReadJob, ReadsTagsAndProperties) {
  const CommandJob job = read("{command: x, tags: {hello: world, empty: null, n: 5}, properties: {a: b}}");
  EXPECT_THAT(job.tags, ElementsAre(Pair("empty", ""), Pair("hello", "world"), Pair("n", "5")));
  EXPECT_THAT(job.properties, ElementsAre(Pair("a", "b")));
}

TEST(ReadJob, TakesWhatAzMlJobShowPrints) {
  const CommandJob job = read(R"(command: x
id: azureml:/subscriptions/1/resourceGroups/g
status: Completed
creation_context: {created_at: '2024-01-01', created_by: me}
log_files: {a.txt: https://x}
parameters: {a: [1]}
parent_job_name: parent_1
)");
  EXPECT_EQ(job.parent_job_name, "parent_1");
}

TEST(ReadJob, OptionalInputsMayBeWithoutAPath) {
  const CommandJob job = read("{command: 'x $[[--w ${{ inputs.w }}]]', inputs: {w: {type: uri_file, optional: true}}}");
  EXPECT_TRUE(job.inputs.at("w").optional);
  EXPECT_EQ(job.inputs.at("w").path, "");
}

TEST(ReadJob, TakesAnchorsByteOrderMarksAndCrLf) {
  const CommandJob job = read(
      "\xEF\xBB\xBF"
      "command: &c echo\r\ntags:\r\n  a: *c\r\n");
  EXPECT_EQ(job.tags.at("a"), "echo");
}

TEST(ReadJob, FortyThousandMistakesAreCutAndCounted) {
  std::string text = "command: x\n";
  for (int i = 0; i < 40'000; ++i) text += "unknown_key_" + std::to_string(i) + ":\n";
  try {
    read(text);
    ADD_FAILURE();
  } catch (const InputErrors& e) {
    EXPECT_EQ(e.all().size(), 201U);
    EXPECT_EQ(e.all()[0].text(), "job.yml: 39800 more mistakes than the 200 below");
  }
}

TEST(ReadJob, LongOffendersAreCutAndPrintable) {
  const std::string key(100'000, 'x');
  try {
    read("command: x\n? \"" + std::string("\\e[31m") + key + "\"\n: 1\n");
    ADD_FAILURE();
  } catch (const InputErrors& e) {
    EXPECT_LT(std::string(e.what()).size(), 120U);
    EXPECT_NE(std::string(e.what()).find("'\\x1b[31mxxx"), std::string::npos);
  }
}

class ReadJobFile : public ::testing::Test {
 protected:
  ReadJobFile() : folder_(mkdtemp(name_.data())) {}
  ~ReadJobFile() override { fs::remove_all(folder_); }
  fs::path write(const std::string& text) {
    write_file_atomically(folder_ / "job.yml", text);
    return folder_ / "job.yml";
  }
  std::string name_ = fs::temp_directory_path() / "lockstep-spec-XXXXXX";
  fs::path folder_;
};

TEST_F(ReadJobFile, KnowsItsFolder) { EXPECT_EQ(read_job_file(write("command: x")).folder, folder_); }

TEST_F(ReadJobFile, NamesTheFileAsItWasGiven) {
  const fs::path file = write("command: x\nnmae: x");
  try {
    read_job_file(file);
    ADD_FAILURE();
  } catch (const InputErrors& e) {
    EXPECT_EQ(e.all().back().text(), file.string() + ":2:1: unknown key 'nmae'; did you mean 'name'?");
  }
}

TEST_F(ReadJobFile, AMissingFileIsNotFound) {
  try {
    read_job_file(folder_ / "none.yml");
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::not_found);
  }
}

TEST_F(ReadJobFile, AFolderOrAHugeFileIsBadInput) {
  const fs::path huge = write(std::string((1 << 20) + 1, '#'));
  for (const fs::path& path : {folder_, huge}) {
    try {
      read_job_file(path);
      ADD_FAILURE();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ExitCode::bad_input);
    }
  }
}

}  // namespace
}  // namespace lockstep::spec
