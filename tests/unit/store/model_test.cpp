// Random operations on the store and on a plain model of it, written from the store's contract alone; after each of
// them both must say the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <tuple>

#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

struct ModelRun {
  std::string run_id;
  std::string experiment_id;
  std::vector<RunState> states{RunState::not_started};
  std::int64_t epoch = 0;
  bool archived = false;
  std::map<std::string, std::string> params;
  std::map<std::string, std::string> tags;
  std::map<std::string, std::vector<Metric>> metrics;
  std::map<int, std::int64_t> taken;
};

class StoreModel {
 public:
  explicit StoreModel(unsigned seed) : random_(seed) { store_ = folder_.open(); }

  void step() {
    if (runs_.empty() || pick(20) == 0) return create();
    ModelRun& run = runs_[static_cast<std::size_t>(pick(static_cast<int>(runs_.size())))];
    switch (pick(8)) {
      case 0:
        return transition(run);
      case 1:
        return take_ownership(run);
      case 2:
        return cancel(run);
      case 3:
        return archive(run);
      case 4:
        return take_journal(run);
      case 5:
        store_ = nullptr, store_ = folder_.open();
        return;
      default:
        return log(run);
    }
  }

  void compare() {
    for (const bool archived : {false, true}) {
      RunQuery query;
      query.view = archived ? View::archived_only : View::active_only;
      query.max_results = 3;
      std::vector<std::string> got;
      do {
        const RunPage page = store_->list_runs(query);
        for (const auto& run : page.runs) got.push_back(run.run_id);
        query.page_token = page.next_page_token;
      } while (!query.page_token.empty());
      std::vector<std::string> want;
      for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
        if (run->archived == archived) want.push_back(run->run_id);
      }
      ASSERT_EQ(got, want);
    }
    for (const auto& run : runs_) compare(run);
  }

 private:
  int pick(int end) { return std::uniform_int_distribution<int>(0, end - 1)(random_); }
  std::string letter() { return std::string(1, static_cast<char>('a' + pick(4))); }

  void create() {
    ModelRun run;
    run.run_id = fmt::format("run{}", pick(40));
    run.experiment_id = store_->get_or_create_experiment(fmt::format("e{}", pick(3))).experiment_id;
    const bool taken = std::any_of(runs_.begin(), runs_.end(), [&](const auto& r) { return r.run_id == run.run_id; });
    bool created = true;
    try {
      store_->create_run(new_run(run.run_id, run.experiment_id));
    } catch (const Error& error) {
      created = error.code() != ExitCode::bad_input;
    }
    ASSERT_EQ(created, !taken);
    if (created) runs_.push_back(run);
  }

  void transition(ModelRun& run) {
    const auto to = static_cast<RunState>(pick(11));
    const std::int64_t epoch = run.epoch - (pick(4) == 0 ? 1 : 0);
    const bool allowed = epoch == run.epoch && may_follow(run.states.back(), to);
    bool done = true;
    try {
      store_->transition(run.run_id, epoch, to);
    } catch (const Error&) {
      done = false;
    }
    ASSERT_EQ(done, allowed);
    if (done) run.states.push_back(to);
  }

  void take_ownership(ModelRun& run) { ASSERT_EQ(store_->take_ownership(run.run_id), ++run.epoch); }

  void cancel(ModelRun& run) {
    const bool ended = is_terminal(run.states.back());
    const bool asked = std::find(run.states.begin(), run.states.end(), RunState::cancel_requested) != run.states.end();
    ASSERT_EQ(store_->request_cancel(run.run_id, "why not"), !ended && !asked);
    if (!ended && !asked) run.states.push_back(RunState::cancel_requested);
  }

  void archive(ModelRun& run) {
    run.archived = pick(2) == 0;
    store_->set_lifecycle(run.run_id, run.archived ? Lifecycle::archived : Lifecycle::active);
  }

  // One that repeats the latest is kept once.
  static void add(std::vector<Metric>& history, const Metric& metric) {
    const auto place = [](const Metric& each) { return std::tuple(each.step, each.timestamp_ms, each.value); };
    const auto latest = std::max_element(history.begin(), history.end(),
                                         [&](const Metric& a, const Metric& b) { return place(a) < place(b); });
    if (latest == history.end() || !(*latest == metric)) history.push_back(metric);
  }

  std::vector<Metric> some_metrics() {
    std::vector<Metric> metrics(static_cast<std::size_t>(pick(5)));
    for (auto& metric : metrics) metric = {letter(), pick(10) / 4.0 - 1, pick(3), pick(5) - 1};
    return metrics;
  }

  void log(ModelRun& run) {
    const auto metrics = some_metrics();
    std::vector<KeyValue> params;
    if (pick(2) == 0) params.push_back({letter(), letter()});
    std::vector<KeyValue> tags{{letter(), letter()}, {letter(), letter()}};
    const bool contradicts =
        !params.empty() && run.params.contains(params[0].key) && run.params.at(params[0].key) != params[0].value;
    bool done = true;
    try {
      store_->log_batch(run.run_id, metrics, params, tags);
    } catch (const Error&) {
      done = false;
    }
    ASSERT_EQ(done, !contradicts && !run.archived);
    if (!done) return;
    for (const auto& metric : metrics) add(run.metrics[metric.key], metric);
    for (const auto& param : params) run.params.insert({param.key, param.value});
    for (const auto& tag : tags) run.tags[tag.key] = tag.value;
  }

  void take_journal(ModelRun& run) {
    JournalBatch batch;
    batch.rank = pick(2);
    const std::int64_t taken = run.taken.contains(batch.rank) ? run.taken[batch.rank] : -1;
    ASSERT_EQ(store_->journal_taken_through(run.run_id, batch.rank), taken);
    batch.first_sequence = std::max<std::int64_t>(0, taken + 1 + pick(4) - 2);
    batch.through_sequence = batch.first_sequence + pick(4);
    batch.metrics = some_metrics();
    const bool old = batch.through_sequence <= taken;
    const bool follows = batch.first_sequence == taken + 1;
    bool done = true;
    try {
      store_->take_journal(run.run_id, batch);
    } catch (const Error&) {
      done = false;
    }
    ASSERT_EQ(done, old || follows);
    if (old || !done) return;
    run.taken[batch.rank] = batch.through_sequence;
    for (const auto& metric : batch.metrics) add(run.metrics[metric.key], metric);
  }

  static std::vector<KeyValue> pairs(const std::map<std::string, std::string>& map) {
    std::vector<KeyValue> all;
    all.reserve(map.size());
    for (const auto& [key, value] : map) all.push_back({key, value});
    return all;
  }

  std::vector<Metric> history_in_pages(const std::string& run_id, const std::string& key) {
    std::vector<Metric> all;
    MetricPage page;
    do {
      page = store_->metric_history_page(run_id, key, 2, page.next_page_token);
      all.insert(all.end(), page.metrics.begin(), page.metrics.end());
    } while (!page.next_page_token.empty());
    return all;
  }

  void compare(const ModelRun& want) {
    const auto got = store_->get_run(want.run_id);
    ASSERT_EQ(got.experiment_id, want.experiment_id);
    ASSERT_EQ(got.state, want.states.back());
    ASSERT_EQ(got.epoch, want.epoch);
    ASSERT_EQ(got.lifecycle == Lifecycle::archived, want.archived);
    ASSERT_EQ(got.ended_ms > 0, is_terminal(want.states.back()));
    std::vector<RunState> states;
    for (const auto& change : store_->state_history(want.run_id)) states.push_back(change.state);
    ASSERT_EQ(states, want.states);
    ASSERT_EQ(store_->params(want.run_id), pairs(want.params));
    ASSERT_EQ(store_->tags(want.run_id), pairs(want.tags));
    std::vector<Metric> latest;
    for (auto [key, history] : want.metrics) {
      const auto by_place = [](const Metric& a, const Metric& b) {
        return std::tie(a.step, a.timestamp_ms) < std::tie(b.step, b.timestamp_ms);
      };
      std::stable_sort(history.begin(), history.end(), by_place);
      ASSERT_EQ(store_->metric_history(want.run_id, key), history);
      ASSERT_EQ(history_in_pages(want.run_id, key), history);
      latest.push_back(*std::max_element(history.begin(), history.end(), [](const Metric& a, const Metric& b) {
        return std::tie(a.step, a.timestamp_ms, a.value) < std::tie(b.step, b.timestamp_ms, b.value);
      }));
    }
    ASSERT_EQ(store_->latest_metrics(want.run_id), latest);
  }

  std::mt19937 random_;
  StoreFolder folder_;
  std::unique_ptr<Store> store_;
  std::vector<ModelRun> runs_;  // in the order of creation
};

TEST(StoreModel, SaysTheSameAsAPlainModelAfterRandomOperations) {
  for (const unsigned seed : {1U, 2U, 3U}) {
    StoreModel model(seed);
    for (int i = 0; i < 120 && !::testing::Test::HasFatalFailure(); ++i) {
      model.step();
      if (i % 10 == 9) model.compare();
    }
    model.compare();
    ASSERT_FALSE(::testing::Test::HasFatalFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace lockstep::history
