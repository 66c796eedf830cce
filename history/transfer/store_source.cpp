#include "history/transfer/store_source.hpp"

#include <algorithm>
#include <set>

#include "history/store/limits.hpp"
#include "history/store/registry_rules.hpp"

namespace lockstep::history::transfer {

namespace {
// The newest first, as the store lists them.
std::vector<std::string> runs_of(Store& store, RunQuery query) {
  query.view = View::all;
  query.max_results = limits::page_length;
  std::vector<std::string> run_ids;
  while (true) {
    const RunPage page = store.list_runs(query);
    for (const Run& run : page.runs) run_ids.push_back(run.run_id);
    if (page.next_page_token.empty()) return run_ids;
    query.page_token = page.next_page_token;
  }
}

// The values of all keys of a run, read in pages that are long enough for a series which the store has to sort.
class SeriesOfStore {
 public:
  SeriesOfStore(Store& store, const FullRun& run) : store_(store), run_(run) {}

  bool next(std::string& key, std::vector<Metric>& points) {
    while (at_ == page_.metrics.size()) {
      if (!read_page()) return false;
    }
    key = run_.metrics[key_].key;
    const std::size_t end = std::min(at_ + longest_piece, page_.metrics.size());
    points.assign(std::make_move_iterator(page_.metrics.begin() + static_cast<std::ptrdiff_t>(at_)),
                  std::make_move_iterator(page_.metrics.begin() + static_cast<std::ptrdiff_t>(end)));
    at_ = end;
    return true;
  }

 private:
  bool read_page() {
    constexpr int page_length = 20 * static_cast<int>(longest_piece);
    if (begun_ && page_.next_page_token.empty()) {
      ++key_;
      begun_ = false;
    }
    if (key_ == run_.metrics.size()) return false;
    const std::string token = begun_ ? page_.next_page_token : "";
    page_ = store_.metric_history_page(run_.run.run_id, run_.metrics[key_].key, page_length, token);
    begun_ = true;
    at_ = 0;
    return true;
  }

  Store& store_;
  const FullRun& run_;
  std::size_t key_ = 0;
  bool begun_ = false;
  MetricPage page_;
  std::size_t at_ = 0;
};
}  // namespace

StoreSource::StoreSource(Store& store, const Part& part) : store_(store), all_(part.is_all()) {
  if (part.run_ids.empty()) {
    RunQuery query;
    if (!part.experiment.empty()) query.experiment_id = store.get_experiment(part.experiment).experiment_id;
    run_ids_ = runs_of(store, query);
    std::reverse(run_ids_.begin(), run_ids_.end());
  }
  for (const std::string& run_id : part.run_ids) add_run(run_id);
  std::set<std::string> wanted;
  if (!part.experiment.empty()) wanted.insert(store.get_experiment(part.experiment).experiment_id);
  if (!all_ && part.experiment.empty()) {
    for (const std::string& run_id : run_ids_) wanted.insert(store.get_run(run_id).experiment_id);
  }
  experiments_ = store.list_experiments(View::all);
  std::reverse(experiments_.begin(), experiments_.end());
  if (!all_) std::erase_if(experiments_, [&](const Experiment& each) { return !wanted.contains(each.experiment_id); });
}

// A run that was named, and what lies below it, each once.
void StoreSource::add_run(const std::string& run_id) {
  store_.get_run(run_id);
  if (std::find(run_ids_.begin(), run_ids_.end(), run_id) == run_ids_.end()) run_ids_.push_back(run_id);
  add_below(run_id);
}

void StoreSource::add_below(const std::string& run_id) {
  RunQuery query;
  query.parent_run_id = run_id;
  std::vector<std::string> below = runs_of(store_, query);
  std::reverse(below.begin(), below.end());
  for (const std::string& each : below) {
    if (std::find(run_ids_.begin(), run_ids_.end(), each) != run_ids_.end()) continue;  // a tag can close a circle
    run_ids_.push_back(each);
    add_below(each);
  }
}

void StoreSource::give(Sink& sink) {
  for (const Experiment& each : experiments_) sink.take(each);
  for (const std::string& each : run_ids_) give_run(sink, each);
  give_logged_models(sink);
  if (all_) give_registry(sink);
  sink.end();
}

void StoreSource::give_run(Sink& sink, const std::string& run_id) {
  const ImportedRun run{store_.get_full_run(run_id), store_.state_history(run_id)};
  SeriesOfStore series(store_, run.run);
  sink.take(run, [&](std::string& key, std::vector<Metric>& points) { return series.next(key, points); });
}

void StoreSource::give_logged_models(Sink& sink) {
  Search search;
  for (const Experiment& each : experiments_) search.experiment_ids.push_back(each.experiment_id);
  if (search.experiment_ids.empty()) return;
  const std::set<std::string> ours(run_ids_.begin(), run_ids_.end());
  while (true) {
    const LoggedModelPage page = store_.search_logged_models(search);
    for (const LoggedModel& each : page.models) {
      if (all_ || ours.contains(each.source_run_id)) sink.take(each);
    }
    if (page.next_page_token.empty()) return;
    search.page_token = page.next_page_token;
  }
}

static std::vector<ModelVersion> versions_of(Store& store, const std::string& name, bool is_prompt) {
  Search search;
  search.clauses = {{Field::attribute, "name", Comparison::equal, name}};
  if (is_prompt) {
    search.clauses.push_back(
        {Field::tag, std::string(registry_rules::prompt_tag), Comparison::equal, std::string("true")});
  }
  std::vector<ModelVersion> versions;
  while (true) {
    const ModelVersionPage page = store.search_model_versions(search);
    versions.insert(versions.end(), page.versions.begin(), page.versions.end());
    if (page.next_page_token.empty()) return versions;
    search.page_token = page.next_page_token;
  }
}

// Prompts, which MLflow keeps there too, are found by a search of their own.
void StoreSource::give_registry(Sink& sink) {
  for (const bool prompts : {false, true}) {
    Search search;
    if (prompts) {
      search.clauses = {{Field::tag, std::string(registry_rules::prompt_tag), Comparison::equal, std::string("true")}};
    }
    while (true) {
      const RegisteredModelPage page = store_.search_registered_models(search);
      for (const RegisteredModel& each : page.models) {
        ImportedModel model{each, versions_of(store_, each.name, prompts), store_.newest_version(each.name)};
        const auto number = [](const ModelVersion& version) { return version.version; };
        std::sort(model.versions.begin(), model.versions.end(),
                  [&](const ModelVersion& a, const ModelVersion& b) { return number(a) < number(b); });
        sink.take(model);
      }
      if (page.next_page_token.empty()) break;
      search.page_token = page.next_page_token;
    }
  }
}

}  // namespace lockstep::history::transfer
