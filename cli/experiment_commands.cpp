// `lockstep experiment list` and `show`.
#include <memory>

#include "cli/commands.hpp"
#include "cli/job_view.hpp"
#include "cli/output.hpp"
#include "cli/text_table.hpp"
#include "common/clock.hpp"

namespace lockstep::cli {

namespace {

Json experiment_json(const history::Experiment& experiment) {
  return {{"name", experiment.name},
          {"experiment_id", experiment.experiment_id},
          {"artifact_location", experiment.artifact_location},
          {"archived", experiment.lifecycle == history::Lifecycle::archived},
          {"creation_context", {{"created_at", iso8601(experiment.created_ms)}}},
          {"last_updated", iso8601(experiment.updated_ms)}};
}

int list(const OutputOptions& output) {
  const OpenWorkspace here = open_workspace();
  const auto experiments = here.store->list_experiments(history::View::active_only);
  Json all = Json::array();
  for (const auto& each : experiments) all.push_back(experiment_json(each));
  print(all, output, [&](const Terminal& terminal) {
    std::vector<std::vector<std::string>> rows;
    rows.reserve(experiments.size());
    const std::int64_t now = now_ms();
    for (const auto& each : experiments) {
      rows.push_back({each.name, each.experiment_id, age_text(now - each.created_ms), age_text(now - each.updated_ms)});
    }
    return text_table(
        {{"NAME", false, true}, {"ID", true, false}, {"CREATED", false, false}, {"UPDATED", false, false}}, rows,
        terminal);
  });
  return 0;
}

// How many runs it has in each state.
Json count_runs(history::Store& store, const std::string& experiment_id) {
  Json counts = Json::object();
  history::RunQuery query;
  query.experiment_id = experiment_id;
  do {
    const history::RunPage page = store.list_runs(query);
    for (const auto& run : page.runs) {
      const std::string status(history::name_of(run.state));
      counts[status] = counts.value(status, 0) + 1;
    }
    query.page_token = page.next_page_token;
  } while (!query.page_token.empty());
  return counts;
}

int show(const std::string& name, const OutputOptions& output) {
  const OpenWorkspace here = open_workspace();
  const history::Experiment experiment = here.store->get_experiment(name);
  Json json = experiment_json(experiment);
  json["jobs"] = count_runs(*here.store, experiment.experiment_id);
  print(json, output);
  return 0;
}

}  // namespace

void add_experiment_commands(const Command& root) {
  const Command experiment = root.add("experiment", "List experiments: the groups that runs belong to",
                                      "lockstep experiment list\n"
                                      "lockstep experiment show mnist");
  const Command list_command = experiment.add("list", "List experiments", "lockstep experiment list -o json");
  auto list_output = std::make_shared<OutputOptions>();
  add_output_options(list_command, *list_output);
  list_command.does([list_output] { return list(*list_output); });

  struct ShowArguments {
    std::string name;
    OutputOptions output;
  };
  const Command show_command = experiment.add("show", "Show an experiment and how many runs it has",
                                              "lockstep experiment show mnist\n"
                                              "lockstep experiment show -n mnist --query jobs.Failed -o tsv");
  auto arguments = std::make_shared<ShowArguments>();
  add_name(show_command, arguments->name, "The experiment: its name or id");
  add_output_options(show_command, arguments->output);
  show_command.does([arguments] { return show(arguments->name, arguments->output); });
}

}  // namespace lockstep::cli
