// One function per noun: it adds its commands to the parser, each with what it does.
#pragma once

#include <memory>
#include <string>

#include "cli/command.hpp"
#include "common/run_folder.hpp"
#include "history/store/store.hpp"

namespace lockstep::cli {

void add_run_command(const Command& root);
void add_job_commands(const Command& root);
void add_experiment_commands(const Command& root);
void add_compute_commands(const Command& root);
void add_quota_commands(const Command& root);
void add_cluster_commands(const Command& root);
void add_metrics_command(const Command& root);
void add_tensorboard_command(const Command& root);
void add_serve_command(const Command& root);
void add_token_commands(const Command& root);
void add_history_commands(const Command& root);
void add_doctor_command(const Command& root);
void add_entrypoint_help(const Command& root);
void add_completion_commands(const Command& root);
void add_version_command(const Command& root);

// The parts of `job`.
void add_job_create(const Command& job);
void add_job_list(const Command& job);
void add_job_stream(const Command& job);
void add_job_changes(const Command& job);  // cancel, archive, restore
void add_job_download(const Command& job);
void add_job_artifacts(const Command& job);

// The parts of `history`.
void add_history_export(const Command& history);
void add_history_import(const Command& history);
void add_history_rebuild(const Command& history);

// The name of a run or experiment: positional, or -n/--name.
void add_name(const Command& command, std::string& name, const std::string& what);

// The workspace's store, after runs that dead supervisors left behind were closed. not_found when there is no
// workspace yet: no command but `run` and `job create` makes one.
struct OpenWorkspace {
  Workspace workspace;
  std::unique_ptr<history::Store> store;
};
OpenWorkspace open_workspace();

}  // namespace lockstep::cli
