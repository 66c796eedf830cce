// `lockstep tensorboard RUN...`: any run in TensorBoard, wherever its metrics came from.
#include <fmt/format.h>
#include <stdlib.h>

#include <memory>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/tensorboard_export.hpp"
#include "cli/tensorboard_program.hpp"
#include "cli/tensorboard_runs.hpp"
#include "common/error.hpp"

namespace lockstep::cli {

namespace {

struct TensorBoardArguments {
  std::vector<std::string> names;
  std::string experiment;
  std::string export_to;
  std::string host;
  std::optional<int> port;
};

// What TensorBoard is started on: a folder with a link to each run's, by the name that it shall have there.
class FolderOfLinks {
 public:
  FolderOfLinks() {
    std::string name = (fs::temp_directory_path() / "lockstep-tensorboard-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw system_failure("cannot make " + name);
    path_ = name;
  }
  FolderOfLinks(const FolderOfLinks&) = delete;
  FolderOfLinks& operator=(const FolderOfLinks&) = delete;
  ~FolderOfLinks() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  void add(const std::string& name, const fs::path& folder) const { fs::create_symlink(folder, path_ / name); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

class Shown {
 public:
  Shown(const OpenWorkspace& here, std::vector<ChosenRun> runs)
      : here_(here), metrics_(here.workspace.store_file()), runs_(std::move(runs)) {}

  fs::path folder_of(const ChosenRun& each) const { return here_.workspace.run(each.run.run_id).tensorboard(); }

  // Brings the folders of all runs up to date. One that had ended before has had its last.
  void refresh() {
    for (ChosenRun& each : runs_) {
      if (history::is_terminal(each.run.state) && !first_) continue;
      each.run = here_.store->get_run(each.run.run_id);
      export_events(*here_.store, metrics_, each.run, folder_of(each));
    }
    first_ = false;
  }

  void write_to(const fs::path& folder) {
    std::int64_t values = 0;
    for (const ChosenRun& each : runs_) values += export_events(*here_.store, metrics_, each.run, folder / each.label);
    print_text(fmt::format("{} new value{} of {} run{} are in {}\n", values, values == 1 ? "" : "s", runs_.size(),
                           runs_.size() == 1 ? "" : "s", fs::absolute(folder).lexically_normal().string()));
  }

  std::string folders() const {
    std::string text;
    for (const ChosenRun& each : runs_) text += "\n  " + folder_of(each).string();
    return text;
  }

  const std::vector<ChosenRun>& runs() const { return runs_; }

 private:
  const OpenWorkspace& here_;
  history::MetricReader metrics_;
  std::vector<ChosenRun> runs_;
  bool first_ = true;
};

int show(const TensorBoardArguments& arguments) {
  if (arguments.names.empty() && arguments.experiment.empty()) {
    throw bad_input("name a run, or give --experiment-name\nsee: lockstep tensorboard --help");
  }
  if (arguments.port && (*arguments.port < 0 || *arguments.port > 65535)) {
    throw bad_input("--port {}: it must be 0 to 65535", *arguments.port);
  }
  const OpenWorkspace here = open_workspace();
  RunChoice choice = choose_runs(*here.store, arguments.names, arguments.experiment);
  if (choice.more) fmt::print(stderr, "These are the newest {} runs; older ones are left out.\n", choice.runs.size());
  Shown shown(here, std::move(choice.runs));
  if (!arguments.export_to.empty()) {
    shown.write_to(arguments.export_to);
    return 0;
  }
  shown.refresh();
  const auto program = find_tensorboard();
  if (!program) {
    throw failure(
        "there is no program 'tensorboard' in PATH; pip install tensorboard gets it. The event files are in{}",
        shown.folders());
  }
  const FolderOfLinks links;
  for (const ChosenRun& each : shown.runs()) links.add(each.label, shown.folder_of(each));
  return run_tensorboard(*program, {links.path(), arguments.host, arguments.port}, [&shown] { shown.refresh(); });
}

}  // namespace

void add_tensorboard_command(const Command& root) {
  const Command command =
      root.add("tensorboard", "Show runs in TensorBoard, live ones too",
               "lockstep tensorboard brave_otter_k3x9m2pq\n"
               "lockstep tensorboard 'sweep-*' --port 6007\n"
               "lockstep tensorboard --experiment-name mnist        # its newest 50 runs\n"
               "lockstep tensorboard brave_otter_k3x9m2pq --export-only events    # event files, and no program");
  auto arguments = std::make_shared<TensorBoardArguments>();
  command.option("-n,--name,name", arguments->names, "NAME...", "The runs: names, or patterns like 'sweep-*'");
  command.option("--experiment-name,--experiment", arguments->experiment, "NAME", "All runs of this experiment");
  command.option("--export-only", arguments->export_to, "DIR", "Only write event files, a folder for each run, to DIR");
  command.option("--host", arguments->host, "HOST", "The address that TensorBoard listens at (localhost)");
  command.option("-p,--port", arguments->port, "PORT", "Its port (6006, or the next that is free); 0: any");
  command.does([arguments] { return show(*arguments); });
}

}  // namespace lockstep::cli
