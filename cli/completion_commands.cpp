#include "cli/commands.hpp"
#include "cli/completion.hpp"
#include "cli/compute_definitions.hpp"
#include "cli/output.hpp"

namespace lockstep::cli {

static std::vector<std::string> run_names() {
  const Workspace workspace = Workspace::find();
  if (!fs::exists(workspace.store_file())) return {};
  history::RunQuery query;
  query.max_results = 200;  // nobody picks from more
  std::vector<std::string> names;
  for (const auto& run : history::open_sqlite_store(workspace.store_file())->list_runs(query).runs) {
    names.push_back(run.run_id);
  }
  return names;
}

static std::vector<std::string> experiment_names() {
  const Workspace workspace = Workspace::find();
  if (!fs::exists(workspace.store_file())) return {};
  std::vector<std::string> names;
  for (const auto& each :
       history::open_sqlite_store(workspace.store_file())->list_experiments(history::View::active_only)) {
    names.push_back(each.name);
  }
  return names;
}

void add_completion_commands(const Command& root) {
  const Command command = root.add("completion", "Print the tab completion of a shell",
                                   "source <(lockstep completion bash)\n"
                                   "source <(lockstep completion zsh)\n"
                                   "lockstep completion fish > ~/.config/fish/completions/lockstep.fish");
  auto shell = std::make_shared<std::string>();
  command.option("shell", *shell, "SHELL", "bash, zsh or fish").required().one_of({"bash", "zsh", "fish"});
  command.does([shell] {
    print_text(completion_script(*shell));
    return 0;
  });
}

int print_completions(const CLI::App& root, std::vector<std::string> words) {
  if (!words.empty() && words.front() == "--") words.erase(words.begin());
  std::string text;
  for (const auto& each : completions(root, words, {run_names, experiment_names, compute_names})) text += each + "\n";
  print_text(text);
  return 0;
}

}  // namespace lockstep::cli
