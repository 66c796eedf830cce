// `lockstep job list` and `job show`.
#include <fmt/format.h>

#include <memory>

#include "cli/commands.hpp"
#include "cli/job_metrics.hpp"
#include "cli/job_view.hpp"
#include "cli/output.hpp"
#include "common/clock.hpp"
#include "common/error.hpp"

namespace lockstep::cli {

namespace {

struct ListArguments {
  std::string experiment;
  std::string parent;
  bool archived_only = false;
  bool include_archived = false;
  int max_results = 100;
  OutputOptions output;
};

int list(const ListArguments& arguments) {
  if (arguments.max_results < 1) throw bad_input("--max-results wants at least 1, not {}", arguments.max_results);
  const OpenWorkspace here = open_workspace();
  history::RunQuery query;
  if (!arguments.experiment.empty())
    query.experiment_id = here.store->get_experiment(arguments.experiment).experiment_id;
  if (!arguments.parent.empty()) query.parent_run_id = here.store->get_run(arguments.parent).run_id;
  query.view = arguments.archived_only      ? history::View::archived_only
               : arguments.include_archived ? history::View::all
                                            : history::View::active_only;
  query.max_results = arguments.max_results;
  const history::RunPage page = here.store->list_runs(query);
  Json jobs = Json::array();
  for (const auto& run : page.runs) jobs.push_back(job_json(run, here.workspace));
  print(jobs, arguments.output, [&](const Terminal& terminal) { return job_table(page.runs, now_ms(), terminal); });
  if (!page.next_page_token.empty()) {
    fmt::print(stderr, "These are the newest {}; more with --max-results N.\n", page.runs.size());
  }
  return 0;
}

int show(const std::string& name, bool metrics, const OutputOptions& output) {
  const OpenWorkspace here = open_workspace();
  if (metrics) return show_metrics(here, here.store->get_run(name).run_id, output);
  print(job_json(read_details(*here.store, here.workspace, name), here.workspace), output);
  return 0;
}

}  // namespace

void add_job_list(const Command& job) {
  const Command command = job.add("list", "List runs, the newest first",
                                  "lockstep job list\n"
                                  "lockstep job list --experiment-name mnist --max-results 20\n"
                                  "lockstep job list --query '[].name' -o tsv");
  auto arguments = std::make_shared<ListArguments>();
  command.option("--experiment-name", arguments->experiment, "NAME", "Only runs of this experiment");
  command.option("--parent-job-name", arguments->parent, "NAME", "Only children of this run");
  const AddedOption only = command.flag("--archived-only", arguments->archived_only, "Only archived runs");
  command.flag("--include-archived", arguments->include_archived, "Archived runs too").excludes(only);
  command.option("--max-results", arguments->max_results, "N [100]", "At most so many");
  add_output_options(command, arguments->output);
  command.does([arguments] { return list(*arguments); });

  struct ShowArguments {
    std::string name;
    bool metrics = false;
    OutputOptions output;
  };
  const Command show_command = job.add("show", "Show all that is known of a run",
                                       "lockstep job show brave_otter_k3x9m2pq\n"
                                       "lockstep job show brave_otter_k3x9m2pq --metrics\n"
                                       "lockstep job show -n brave_otter_k3x9m2pq --query status -o tsv");
  auto show_arguments = std::make_shared<ShowArguments>();
  add_name(show_command, show_arguments->name, "The run");
  show_command.flag("--metrics", show_arguments->metrics,
                    "Its metrics instead: last, least and greatest value of each");
  add_output_options(show_command, show_arguments->output);
  show_command.does(
      [show_arguments] { return show(show_arguments->name, show_arguments->metrics, show_arguments->output); });
}

}  // namespace lockstep::cli
