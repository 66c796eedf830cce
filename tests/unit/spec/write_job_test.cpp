// to_yaml: reads back to the same job, and never holds a secret's value.
#include <gtest/gtest.h>

#include <random>

#include "launcher/spec/read_job.hpp"

namespace lockstep::spec {
namespace {

// Jobs with every field set or not at random, and texts made of what YAML stumbles over.
class JobMaker {
 public:
  explicit JobMaker(unsigned seed) : random_(seed) {}

  CommandJob make() {
    CommandJob job;
    job.folder = "/jobs";
    job.command = text();
    if (some()) job.preparation = text();
    if (some()) job.schema = text();
    if (some()) job.name = name();
    if (some()) job.display_name = line();
    if (some()) job.experiment_name = line();
    if (some()) job.description = text();
    if (some()) job.code = text();
    if (some()) job.compute = "cluster-" + name();
    if (some()) job.parent_job_name = name();
    if (some()) job.timeout_s = number();
    job.tags = texts();
    job.properties = texts();
    for (int i = below(4); i > 0; --i) job.inputs[name()] = input();
    for (int i = below(4); i > 0; --i) job.outputs[name()] = output();
    for (int i = below(4); i > 0; --i) job.environment_variables["V_" + name()] = text();
    for (int i = below(3); i > 0; --i) job.services[text()] = service();
    make_environment(job.environment);
    make_distribution(job.distribution);
    make_resources(job.resources);
    if (some()) make_identity(job);
    if (some()) job.queue_job_tier = "spot";
    if (some()) job.queue_priority = "high";
    return job;
  }

 private:
  int below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }
  bool some() { return below(2) == 1; }
  int number() { return 1 + below(100'000); }
  template <class Enum>
  Enum one_of(int count) {
    return static_cast<Enum>(below(count));
  }

  std::string name() {
    std::string made(1, static_cast<char>('a' + below(26)));
    for (int i = below(8); i > 0; --i) made += "bz09_"[below(5)];
    return made;
  }
  std::string pieces(int count, const std::vector<std::string>& from) {
    std::string made;
    for (int i = 0; i < count; ++i) made += from[static_cast<std::size_t>(below(static_cast<int>(from.size())))];
    return made;
  }
  std::string line() {
    return std::string("x") +
           pieces(below(6), {": ", " #", "'", "\"", "\\", "- ", "é", "{", "]", "1", "null", "~", "|", "&a", "%", ","});
  }
  // Not blank: most keys do not take blank text.
  std::string text() {
    return pieces(below(3), {"\n", " ", "\t", "- ", "# ", "? ", "--- ", "'"}) +
           pieces(1, {"a", "1", "true", "null", "0.1", "-", "[", "{", "&", "*", "!", "%", "@", "x: y", "é", "$HOME"}) +
           pieces(below(8),
                  {"a", "\n", "\n  ", " ", ": ", " #", "\r\n", "\t", "\"", "'", "\\n", "}", "]", "\x1b", "\xC2\x85"});
  }
  std::map<std::string, std::string> texts() {
    std::map<std::string, std::string> made;
    for (int i = below(3); i > 0; --i) made[text()] = some() ? text() : "";
    return made;
  }
  Input input() {
    Input input;
    input.is_literal = some();
    if (input.is_literal) {
      input.literal = some() ? text() : "";
      return input;
    }
    input.type = one_of<AssetType>(6);
    input.mode = one_of<InputMode>(input.type == AssetType::mltable ? 5 : 3);
    input.optional = some();
    if (!input.optional || some()) input.path = text();
    if (some()) input.datastore = text();
    return input;
  }
  Output output() {
    Output output;
    output.type = one_of<AssetType>(6);
    output.mode = one_of<OutputMode>(3);
    if (some()) output.path = text();
    if (some()) output.asset_name = text();
    if (some()) output.asset_version = text();
    return output;
  }
  Service service() {
    Service service;
    service.type = some() ? "ssh" : "tensor_board";
    if (some()) (service.type == "ssh" ? service.ssh_public_keys : service.log_dir) = text();
    if (some()) service.nodes = text();
    if (some()) service.port = 1 + below(65535);
    service.properties = texts();
    return service;
  }
  void make_environment(EnvironmentSpec& environment) {
    if (some()) {
      environment.reference = text();
      return;
    }
    if (some()) environment.name = text();
    if (some()) environment.version = text();
    if (some()) environment.description = text();
    if (some()) environment.os_type = "windows";
    if (some()) environment.datastore = text();
    if (some())
      environment.conda_file = text();
    else if (some())
      environment.conda_inline = "dependencies:\n  - python=3.11\nversion: 3.10\nname: \"3.10\"\n";
    if (some()) environment.inference_config = "scoring_route:\n  port: 80\n  path: /score\n";
    if (some()) {
      environment.image = text();
    } else if (some()) {
      environment.build_path = text();
      if (some()) environment.dockerfile_path = text();
    }
    environment.tags = texts();
    environment.properties = texts();
  }
  void make_distribution(Distribution& distribution) {
    distribution.type = one_of<DistributionType>(4);
    if (distribution.type == DistributionType::tensorflow) {
      if (some()) distribution.worker_count = number();
      distribution.parameter_server_count = below(3);
    } else if (distribution.type != DistributionType::none) {
      distribution.process_count_per_instance = number();
    }
  }
  void make_resources(Resources& resources) {
    if (some()) resources.instance_count = number();
    if (some()) resources.max_instance_count = number();
    if (some()) resources.instance_type = text();
    if (some()) resources.shm_size = std::to_string(number()) + "g";
    if (some()) resources.docker_args = text();
    resources.properties = texts();
    for (int i = below(3); i > 0; --i) resources.locations.push_back(text());
  }
  void make_identity(CommandJob& job) {
    job.identity_type = some() ? "managed" : "user_identity";
    if (job.identity_type == "managed") job.identity["client_id"] = text();
  }

  std::mt19937 random_;
};

TEST(WriteJob, WhatIsWrittenReadsBackToTheSameJob) {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    const CommandJob job = JobMaker(seed).make();
    const std::string yaml = to_yaml(job);
    SCOPED_TRACE(yaml);
    const CommandJob again = read_job(yaml, "written.yml", job.folder);
    ASSERT_EQ(again, job) << "seed " << seed << "; read back as\n" << to_yaml(again);
  }
}

TEST(WriteJob, WritesOnlyWhatWasSaid) {
  EXPECT_EQ(to_yaml(read_job("command: echo hello", "job.yml", "/")), "type: command\ncommand: echo hello\n");
}

TEST(WriteJob, KeepsScriptsReadable) {
  const CommandJob job = read_job("command: |\n  set -e\n  echo a: b\ninputs: {lr: 0.1, text: 'null'}", "job.yml", "/");
  EXPECT_EQ(to_yaml(job), "type: command\ncommand: |\n  set -e\n  echo a: b\ninputs:\n  lr: 0.1\n  text: \"null\"\n");
}

TEST(WriteJob, SecretsAreWrittenAsReferences) {
  const CommandJob job = read_job(
      "{command: x, environment_variables: {HF_TOKEN: hunter2, DB_PASSWORD: hunter2, LOG: info, A_KEY: hunter2}}",
      "job.yml", "/");
  const std::string yaml = to_yaml(job);
  EXPECT_EQ(yaml.find("hunter2"), std::string::npos);
  EXPECT_NE(yaml.find("HF_TOKEN: ${{secrets.HF_TOKEN}}\n"), std::string::npos);
  EXPECT_NE(yaml.find("LOG: info\n"), std::string::npos);
  EXPECT_EQ(to_yaml(read_job(yaml, "again.yml", "/")), yaml);
}

TEST(Secrets, AreKnownByTheirNames) {
  for (const char* name : {"PASSWORD",
                           "DB_PASSWORD",
                           "MYSQL_ROOT_PASSWORD",
                           "pgpassword",
                           "CLIENT_SECRET",
                           "SECRET_KEY",
                           "HF_TOKEN",
                           "token",
                           "GITHUB_TOKEN",
                           "SASTOKEN",
                           "BLOB_SAS",
                           "AWS_SECRET_ACCESS_KEY",
                           "AZURE_STORAGE_KEY",
                           "API_KEY",
                           "WANDB_API_KEY",
                           "OPENAI_APIKEY",
                           "AZURE_CREDENTIALS",
                           "STORAGE_CONNECTION_STRING",
                           "DB_PWD",
                           "GIT_PAT",
                           "AUTHORIZATION",
                           "my-secret",
                           "x.password"})
    EXPECT_TRUE(is_secret(name)) << name;
  for (const char* name :
       {"PATH", "HOME", "PWD", "OLDPWD", "TOKENIZERS_PARALLELISM", "MAX_TOKENS", "KEYBOARD", "MONKEY",
        "OMP_NUM_THREADS", "LOG_LEVEL", "SASHIMI", "PATTERN", "AUTHOR", "KEY_COUNT", "", "_", "A"})
    EXPECT_FALSE(is_secret(name)) << name;
}

}  // namespace
}  // namespace lockstep::spec
