// Random searches over random runs, compared with the same search done by hand.
#include <cmath>
#include <limits>
#include <random>

#include "tests/unit/store/search_by_hand.hpp"
#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

class Dice {
 public:
  explicit Dice(std::uint32_t seed) : generator_(seed) {}
  int below(int limit) { return static_cast<int>(generator_() % static_cast<std::uint32_t>(limit)); }
  bool one_in(int count) { return below(count) == 0; }
  template <class Value>
  const Value& of(const std::vector<Value>& values) {
    return values[static_cast<std::size_t>(below(static_cast<int>(values.size())))];
  }

 private:
  std::mt19937 generator_;  // the standard says what it gives
};

const std::vector<std::string> keys{"a", "b", "c d", "e"};
const std::vector<std::string> texts{"",   "x", "X", "xy", "a*b", "a?b", "[x]", "Xylo", "aab", "\xC3\xA9t\xC3\xA9",
                                     "10%"};
const std::vector<std::string> patterns{"%", "x%", "%Y%", "_", "a_b", "a*b", "[x]", "%\xC3\xA9", "", "%%b", "x"};
const std::vector<double> numbers{0, 1, -1, 0.5, 1e300, std::numeric_limits<double>::infinity()};
const std::vector<std::string> words{"RUNNING", "FINISHED", "KILLED", "x", "alice", "bob", "run-7", "run-12", "NAME"};

// Three values of each kind are equal for every few runs, so that orders have ties.
FullRun random_run(Dice& dice, int i) {
  FullRun full;
  Run& run = full.run;
  run.run_id = fmt::format("run-{}", i);
  run.experiment_id = dice.one_in(8) ? "0" : "1";
  run.display_name = dice.of(words);
  run.user_id = dice.one_in(2) ? "alice" : "bob";
  run.artifact_uri = fmt::format("s3://bucket/{}", i % 3);
  run.state = static_cast<RunState>(dice.below(11));
  run.lifecycle = dice.one_in(5) ? Lifecycle::archived : Lifecycle::active;
  run.created_ms = 1000 + dice.below(200);
  run.started_ms = dice.one_in(3) ? 0 : run.created_ms + dice.below(20);
  run.ended_ms = is_terminal(run.state) ? run.created_ms + 100 : 0;
  for (const std::string& key : keys) {
    if (!dice.one_in(4)) full.metrics.push_back({key, dice.one_in(6) ? std::nan("") : dice.of(numbers), 5, i});
    if (!dice.one_in(3)) full.params.push_back({key, dice.of(texts)});
    if (!dice.one_in(3)) full.tags.push_back({key, dice.of(texts)});
  }
  if (dice.one_in(3)) {
    full.datasets.push_back({{"mnist", dice.one_in(2) ? "d1" : "d2", "local", "{}", "", ""}, {}});
    if (dice.one_in(2)) full.datasets[0].tags.push_back({"mlflow.data.context", dice.one_in(2) ? "train" : "eval"});
    if (dice.one_in(2)) full.datasets[0].tags.push_back({"other", "x"});
  }
  if (dice.one_in(6)) full.models_in.push_back({"m-1", 0});
  if (dice.one_in(6)) full.models_out = {{"m-1", 3}, {"m-2", 0}};
  return full;
}

Clause random_clause(Dice& dice) {
  using enum Comparison;
  const std::vector<Comparison> of_numbers{equal, not_equal, less, less_or_equal, greater, greater_or_equal};
  const std::vector<Comparison> of_texts{equal, not_equal, like, ilike, is_null, is_not_null};
  const auto text_clause = [&](Field field, const std::string& key, Comparison comparison,
                               const std::vector<std::string>& values) {
    const bool is_pattern = comparison == like || comparison == ilike;
    return Clause{field, key, comparison, is_pattern && dice.one_in(2) ? dice.of(patterns) : dice.of(values)};
  };
  switch (dice.below(6)) {
    case 0:
      return {Field::metric, dice.of(keys), dice.of(of_numbers), dice.of(numbers)};
    case 1:
      return text_clause(Field::param, dice.of(keys), dice.of(of_texts), texts);
    case 2:
      return text_clause(Field::tag, dice.of(keys), dice.of(of_texts), texts);
    case 3:
      if (dice.one_in(2)) {
        return {Field::dataset, "context", dice.one_in(2) ? in : not_in, std::vector<std::string>{"train", "test"}};
      }
      return text_clause(Field::dataset, dice.one_in(2) ? "name" : "digest", dice.one_in(2) ? equal : not_equal,
                         {"mnist", "d1"});
    case 4:
      return {Field::attribute, dice.one_in(2) ? "start_time" : "end_time", dice.of(of_numbers),
              1000.0 + dice.below(300)};
    default:
      if (dice.one_in(6)) {
        return {Field::attribute, "run_id", dice.one_in(2) ? in : not_in,
                std::vector<std::string>{"run-1", "run-2", "run-33"}};
      }
      return text_clause(Field::attribute,
                         dice.of(std::vector<std::string>{"status", "run_name", "user_id", "artifact_uri", "run_id"}),
                         dice.of(std::vector<Comparison>{equal, not_equal, not_equal, like, ilike}), words);
  }
}

Search random_search(Dice& dice, int most_clauses, int most_sort_keys) {
  Search search;
  search.experiment_ids = {"1"};
  if (dice.one_in(3)) search.experiment_ids.emplace_back("0");
  search.view = static_cast<View>(dice.below(3));
  for (int i = dice.below(most_clauses + 1); i > 0; --i) search.clauses.push_back(random_clause(dice));
  const std::vector<std::string> attributes{"start_time", "end_time", "status", "run_name", "user_id"};
  for (int i = dice.below(most_sort_keys + 1); i > 0; --i) {
    const auto field = static_cast<Field>(dice.below(4));
    search.order.push_back(
        {field, field == Field::attribute ? dice.of(attributes) : dice.of(keys), dice.one_in(2), {}, {}});
  }
  return search;
}

std::string shown(const Search& search) {
  std::string all = fmt::format("view {}, {} experiments, pages of {}", static_cast<int>(search.view),
                                search.experiment_ids.size(), search.max_results);
  for (const Clause& each : search.clauses) {
    all += fmt::format("; clause: field {}, key {}, comparison {}", static_cast<int>(each.field), each.key,
                       static_cast<int>(each.comparison));
    if (const auto* text = std::get_if<std::string>(&each.value)) all += ", '" + *text + "'";
    if (const auto* number = std::get_if<double>(&each.value)) all += fmt::format(", {}", *number);
  }
  for (const SortKey& each : search.order) {
    all += fmt::format("; sort: field {}, key {}, {}", static_cast<int>(each.field), each.key,
                       each.ascending ? "up" : "down");
  }
  return all;
}

bool same_number(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

void expect_same(const FullRun& got, const FullRun& want) {
  ASSERT_EQ(got.run.run_id, want.run.run_id);
  EXPECT_EQ(got.run.state, want.run.state);
  EXPECT_EQ(got.run.lifecycle, want.run.lifecycle);
  EXPECT_EQ(got.run.display_name, want.run.display_name);
  EXPECT_EQ(got.params, want.params);
  EXPECT_EQ(got.tags, want.tags);
  EXPECT_EQ(got.datasets, want.datasets);
  EXPECT_EQ(got.models_in, want.models_in);
  EXPECT_EQ(got.models_out, want.models_out);
  ASSERT_EQ(got.metrics.size(), want.metrics.size());
  for (std::size_t i = 0; i < got.metrics.size(); ++i) {
    EXPECT_EQ(got.metrics[i].key, want.metrics[i].key);
    EXPECT_TRUE(same_number(got.metrics[i].value, want.metrics[i].value));
    EXPECT_EQ(got.metrics[i].step, want.metrics[i].step);
  }
}

class RunSearchModel : public ::testing::Test {
 protected:
  void fill(int count) {
    store_->get_or_create_experiment("one");
    const auto database = folder_.database();
    Transaction transaction(*database, Survives::process_death);
    for (int i = 0; i < count; ++i) {
      runs_.push_back(random_run(dice_, i));
      insert_run(*database, runs_.back());
    }
    transaction.commit();
    database->learn_sizes();
  }

  // Page after page, at most `most_pages`.
  void compare(Search search, int most_pages) {
    SCOPED_TRACE(shown(search));
    const std::vector<FullRun> want = search_by_hand(runs_, search);
    std::size_t count = 0;
    for (int pages = 0; pages < most_pages; ++pages) {
      const FullRunPage page = store_->search_runs(search);
      ASSERT_LE(page.runs.size(), static_cast<std::size_t>(search.max_results));
      for (const FullRun& run : page.runs) {
        ASSERT_LT(count, want.size());
        expect_same(run, want[count++]);
        if (HasFatalFailure()) return;
      }
      ASSERT_EQ(page.next_page_token.empty(), count == want.size());
      if (page.next_page_token.empty()) return;
      search.page_token = page.next_page_token;
    }
  }

  StoreFolder folder_;
  const std::unique_ptr<Store> store_ = folder_.open();
  std::vector<FullRun> runs_;
  Dice dice_{20261128};
};

TEST_F(RunSearchModel, FindsWhatASearchByHandFinds) {
  fill(300);
  for (int i = 0; i < 400; ++i) {
    Search search = random_search(dice_, 4, 3);
    search.max_results = 1 + dice_.below(120);
    compare(search, 1000);
    if (HasFatalFailure()) return;
  }
}

// Where there are too many runs to look at each, searches take other ways.
TEST_F(RunSearchModel, FindsTheSameAmongManyRuns) {
  fill(9000);
  for (int i = 0; i < 150; ++i) {
    Search search = random_search(dice_, 4, dice_.one_in(2) ? 0 : 2);
    search.max_results = 1 + dice_.below(30);
    compare(search, 3);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace lockstep::history
