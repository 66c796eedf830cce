// `lockstep job artifacts`: the files that a run left in its outputs.
#include <memory>

#include "cli/commands.hpp"
#include "cli/job_view.hpp"
#include "cli/output.hpp"
#include "history/store/artifacts.hpp"

namespace lockstep::cli {

namespace {

struct ArtifactsArguments {
  std::string name;
  std::string path;
  bool recursive = false;
  OutputOptions output;
};

std::string artifacts_table(const std::vector<history::Artifact>& artifacts, const Terminal& terminal) {
  std::vector<std::vector<std::string>> rows;
  rows.reserve(artifacts.size());
  for (const auto& each : artifacts) {
    rows.push_back({each.is_folder ? each.path + "/" : each.path, each.is_folder ? "" : std::to_string(each.bytes)});
  }
  return text_table({{"PATH", false, true}, {"BYTES", true, false}}, rows, terminal);
}

int artifacts(const ArtifactsArguments& arguments) {
  const OpenWorkspace here = open_workspace();
  const RunFolder folder = here.workspace.run(here.store->get_run(arguments.name).run_id);
  const auto found = arguments.recursive ? history::list_artifact_files(folder.outputs(), arguments.path)
                                         : history::list_artifacts(folder.outputs(), arguments.path);
  print(artifacts_json(found), arguments.output,
        [&](const Terminal& terminal) { return artifacts_table(found, terminal); });
  return 0;
}

}  // namespace

void add_job_artifacts(const Command& job) {
  const Command command = job.add("artifacts", "List the files that a run left in its outputs",
                                  "lockstep job artifacts brave_otter_k3x9m2pq\n"
                                  "lockstep job artifacts -n brave_otter_k3x9m2pq --path model -o json\n"
                                  "lockstep job artifacts -n brave_otter_k3x9m2pq --recursive");
  auto arguments = std::make_shared<ArtifactsArguments>();
  add_name(command, arguments->name, "The run");
  command.option("--path", arguments->path, "PATH", "A folder or file of its outputs");
  command.flag("-r,--recursive", arguments->recursive, "The files in all folders below");
  add_output_options(command, arguments->output);
  command.does([arguments] { return artifacts(*arguments); });
}

}  // namespace lockstep::cli
