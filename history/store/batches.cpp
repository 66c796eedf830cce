#include <set>

#include "history/store/limits.hpp"
#include "history/store/sql_store.hpp"

namespace lockstep::history {

std::vector<std::string> SqlStore::write_checked(std::int64_t run, std::span<const Metric> metrics,
                                                 std::span<const KeyValue> params, std::span<const KeyValue> tags) {
  const bool cut = limits::cut_long_values();
  std::vector<std::string> mistakes;
  std::vector<const Metric*> good;
  good.reserve(metrics.size());
  for (const Metric& metric : metrics) {
    if (auto mistake = limits::mistake_in_metric(metric))
      mistakes.push_back(std::move(*mistake));
    else
      good.push_back(&metric);
  }
  write_metrics(run, good);
  for (const KeyValue& param : params) {
    auto [value, mistake] = limits::check_param(param, cut);
    if (!mistake) mistake = write_param(run, param.key, value);
    if (mistake) mistakes.push_back(std::move(*mistake));
  }
  for (const KeyValue& tag : tags) {
    auto [value, mistake] = limits::check_tag(tag, cut);
    if (!mistake)
      write_tag(run, tag.key, value);
    else
      mistakes.push_back(std::move(*mistake));
  }
  return mistakes;
}

static std::string one_per_line(const std::vector<std::string>& sentences) {
  std::string text;
  for (const auto& each : sentences) text += (text.empty() ? "" : "\n") + each;
  return text;
}

void SqlStore::write_checked_or_throw(std::int64_t run, std::span<const Metric> metrics,
                                      std::span<const KeyValue> params, std::span<const KeyValue> tags) {
  std::vector<std::string> mistakes;
  std::set<std::string_view> seen;
  for (const KeyValue& param : params) {
    if (!seen.insert(param.key).second) mistakes.push_back(fmt::format("parameter '{}' is given twice", param.key));
  }
  if (mistakes.empty()) mistakes = write_checked(run, metrics, params, tags);
  if (!mistakes.empty()) throw bad_input("{}", one_per_line(mistakes));
}

void SqlStore::log_batch(const std::string& run_id, std::span<const Metric> metrics, std::span<const KeyValue> params,
                         std::span<const KeyValue> tags) {
  Transaction transaction(database_, Survives::process_death);
  write_checked_or_throw(number_of_active(run_id), metrics, params, tags);
  transaction.commit();
}

static std::int64_t taken_through(Database& database, std::int64_t run, int rank) {
  Query found = database.query("SELECT through_sequence FROM journals WHERE run = ? AND rank = ?");
  return found.bind(run, rank).step() ? found.integer(0) : -1;
}

std::int64_t SqlStore::journal_taken_through(const std::string& run_id, int rank) {
  return taken_through(database_, number_of(run_id), rank);
}

std::vector<std::string> SqlStore::take_journal(const std::string& run_id, const JournalBatch& batch) {
  Transaction transaction(database_, Survives::process_death);
  const std::int64_t run = number_of(run_id);
  const std::int64_t taken = taken_through(database_, run, batch.rank);
  if (batch.through_sequence <= taken) return {};
  if (batch.first_sequence != taken + 1 || batch.first_sequence > batch.through_sequence) {
    throw failure(
        "run {}: the journal of rank {} is taken in up to entry {}; a batch of entries {} to {} does not "
        "follow",
        run_id, batch.rank, taken, batch.first_sequence, batch.through_sequence);
  }
  auto refused = write_checked(run, batch.metrics, batch.params, batch.tags);
  database_
      .query(
          "INSERT INTO journals (run, rank, through_sequence) VALUES (?, ?, ?) "
          "ON CONFLICT (run, rank) DO UPDATE SET through_sequence = excluded.through_sequence")
      .bind(run, batch.rank, batch.through_sequence)
      .run();
  transaction.commit();
  return refused;
}

}  // namespace lockstep::history
