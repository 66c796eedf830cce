// `lockstep job download`: copies what a run made to another folder, laid out as `az ml job download` does it.
#include <fmt/format.h>

#include <memory>

#include "api/ranks_of_run.hpp"
#include "cli/commands.hpp"
#include "cli/copy_tree.hpp"
#include "common/error.hpp"
#include "common/nearest.hpp"

namespace lockstep::cli {

namespace {

struct DownloadArguments {
  std::string name;
  std::string path = ".";
  std::string output_name;
  bool all = false;
};

std::map<std::string, fs::path> named_outputs(const RunFolder& folder) {
  std::map<std::string, fs::path> outputs;
  const auto plan = api::read_plan(folder);
  if (const auto found = plan.find("outputs"); found != plan.end() && found->is_array()) {
    for (const auto& each : *found) {
      outputs[each.value("name", "")] = each.value("path", "");
    }
  }
  return outputs;
}

int download(const DownloadArguments& arguments) {
  const OpenWorkspace here = open_workspace();
  const history::Run run = here.store->get_run(arguments.name);
  const RunFolder folder = here.workspace.run(run.run_id);
  const auto outputs = named_outputs(folder);
  const fs::path target = arguments.path;
  CopyCount count;
  if (!arguments.output_name.empty()) {
    const auto found = outputs.find(arguments.output_name);
    if (found == outputs.end()) {
      std::vector<std::string> names;
      names.reserve(outputs.size());
      for (const auto& [name, path] : outputs) names.push_back(name);
      throw not_found("{} has no output '{}'{}", run.run_id, arguments.output_name,
                      names.empty() ? "; it has none" : did_you_mean(arguments.output_name, names));
    }
    count += copy_tree(found->second, target / "named-outputs" / found->first);
  } else {
    count += copy_tree(folder.outputs(), target / "artifacts" / "outputs");
    count += copy_tree(folder.logs(), target / "artifacts" / "logs");
  }
  if (arguments.all) {
    for (const auto& [name, path] : outputs) count += copy_tree(path, target / "named-outputs" / name);
    count += copy_tree(folder.metrics(), target / "artifacts" / "metrics");
    count += copy_tree(folder.tensorboard(), target / "artifacts" / "tensorboard");
    count += copy_tree(folder.checkpoints(), target / "artifacts" / "checkpoints");
    for (const auto& file : {folder.job_file(), folder.plan_file()})
      count += copy_tree(file, target / "artifacts" / file.filename());
  }
  fmt::print(stderr, "{} files, {} bytes, are now in {}\n", count.files, count.bytes,
             fs::absolute(target).lexically_normal().string());
  return 0;
}

}  // namespace

void add_job_download(const Command& job) {
  const Command command = job.add("download", "Copy a run's outputs and logs to a folder",
                                  "lockstep job download brave_otter_k3x9m2pq --download-path results\n"
                                  "lockstep job download -n brave_otter_k3x9m2pq --output-name model\n"
                                  "lockstep job download -n brave_otter_k3x9m2pq --all");
  auto arguments = std::make_shared<DownloadArguments>();
  add_name(command, arguments->name, "The run");
  command.option("-p,--download-path", arguments->path, "FOLDER [.]", "Where to");
  const AddedOption output = command.option("--output-name", arguments->output_name, "NAME", "Only this named output");
  command
      .flag("--all", arguments->all,
            "Named outputs, metrics, event files of TensorBoard, checkpoints, job and plan too")
      .excludes(output);
  command.does([arguments] { return download(*arguments); });
}

}  // namespace lockstep::cli
