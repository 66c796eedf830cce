#include "cli/tensorboard_runs.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <map>

#include "common/error.hpp"

namespace lockstep::cli {

namespace {

constexpr std::size_t most = 50;

bool is_pattern(const std::string& name) { return name.find_first_of("*?[") != std::string::npos; }

// The runs that the query gives and `wanted` accepts, newest first. True: there would have been more.
bool collect(history::Store& store, history::RunQuery query, const std::function<bool(const history::Run&)>& wanted,
             std::vector<history::Run>& runs) {
  std::size_t found = 0;
  do {
    const history::RunPage page = store.list_runs(query);
    for (const auto& run : page.runs) {
      if (!wanted(run)) continue;
      if (found == most) return true;
      ++found;
      runs.push_back(run);
    }
    query.page_token = page.next_page_token;
  } while (!query.page_token.empty());
  return false;
}

std::string file_name(const std::string& text) {
  std::string name;
  for (const char c : text) name += c == '/' || static_cast<unsigned char>(c) < ' ' ? '_' : c;
  if (name.empty() || name.front() == '.') name.insert(0, 1, '_');
  return name;
}

}  // namespace

std::vector<ChosenRun> labelled(std::vector<history::Run> runs) {
  std::map<std::string, int> times;
  for (const auto& run : runs) ++times[file_name(run.display_name.empty() ? run.run_id : run.display_name)];
  std::vector<ChosenRun> all;
  for (auto& run : runs) {
    std::string label = file_name(run.display_name.empty() ? run.run_id : run.display_name);
    if (times[label] > 1 && label != run.run_id) label += " " + run.run_id;
    all.push_back({std::move(run), std::move(label)});
  }
  return all;
}

RunChoice choose_runs(history::Store& store, const std::vector<std::string>& names, const std::string& experiment) {
  std::vector<history::Run> runs;
  bool more = false;
  if (!experiment.empty()) {
    history::RunQuery query;
    query.experiment_id = store.get_experiment(experiment).experiment_id;
    more = collect(
        store, query, [](const history::Run&) { return true; }, runs);
    if (runs.empty()) throw not_found("experiment '{}' has no runs", experiment);
  }
  for (const auto& name : names) {
    if (!is_pattern(name)) {
      runs.push_back(store.get_run(name));
      continue;
    }
    const std::size_t before = runs.size();
    const auto matches = [&](const history::Run& run) {
      return ::fnmatch(name.c_str(), run.run_id.c_str(), 0) == 0 ||
             ::fnmatch(name.c_str(), run.display_name.c_str(), 0) == 0;
    };
    more |= collect(store, {}, matches, runs);
    if (runs.size() == before) throw not_found("no run is called like '{}'", name);
  }
  std::vector<history::Run> each_once;
  for (auto& run : runs) {
    const auto same = [&](const history::Run& other) { return other.run_id == run.run_id; };
    if (std::none_of(each_once.begin(), each_once.end(), same)) each_once.push_back(std::move(run));
  }
  return {labelled(std::move(each_once)), more};
}

}  // namespace lockstep::cli
