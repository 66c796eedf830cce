// The history at the size of a busy team: 10,000 runs of 1,000 metric values each (10 million rows).
//
//   bench_history [folder]      else build/benchmarks/history; what is generated there is used again
//
// Measures the lockstep command too, if it was built in the same build folder.
//
// Prints a table, then the same as one JSON object on the last line. Every time is one call, in milliseconds; median
// and best of the repeats. Rates are metric values per second, of batches that were committed one by one (they survive
// kill -9 when the call returns); the floor is SQLite itself: prepared inserts into one table without an index, the
// same batches, the same durability.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/process.hpp"
#include "common/run_folder.hpp"
#include "history/sink/journal.hpp"
#include "history/store/sqlite_database.hpp"
#include "history/store/store.hpp"

using namespace lockstep;
using namespace lockstep::history;

namespace {
constexpr int runs = 10'000;
constexpr int keys = 10;
constexpr int steps = 100;  // values of each key

struct Row {
  std::string what;
  std::string unit;
  double median = 0;
  double best = 0;
};
std::vector<Row> table;

double seconds_of(const std::function<void()>& action) {
  const auto begin = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void add(Row row) {
  fmt::print("{:<58} {:>12.3f} {:>12.3f} {}\n", row.what, row.median, row.best, row.unit);
  std::fflush(stdout);
  table.push_back(std::move(row));
}

void measure_ms(const std::string& what, int repeats, const std::function<void()>& action) {
  std::vector<double> times;
  times.reserve(static_cast<std::size_t>(repeats));
  for (int i = 0; i < repeats; ++i) times.push_back(1000 * seconds_of(action));
  std::sort(times.begin(), times.end());
  add({what, "ms", times[times.size() / 2], times.front()});
}

void measure_rate(const std::string& what, int repeats, double count, const std::function<void()>& action) {
  std::vector<double> rates;
  rates.reserve(static_cast<std::size_t>(repeats));
  for (int i = 0; i < repeats; ++i) rates.push_back(count / seconds_of(action));
  std::sort(rates.begin(), rates.end());
  add({what, "per second", rates[rates.size() / 2], rates.back()});
}

// Straight into the tables, because 10,000 durable create_run calls would wait for the disk 10,000 times.
void generate(const Workspace& workspace) {
  workspace.create();
  open_sqlite_store(workspace.store_file())->get_or_create_experiment("bench");
  SqliteDatabase database(workspace.store_file());
  if (database.number("SELECT count(*) FROM runs") == runs &&
      database.number("SELECT max(rowid) FROM metrics") >= std::int64_t{runs} * keys * steps) {
    return;
  }
  fmt::print("generating {} runs with {} values of {} metrics each ...\n", runs, keys * steps, keys);
  Transaction transaction(database, Survives::process_death);
  const auto fill = [&](std::string_view into, int count, std::string_view columns) {
    database.execute(
        fmt::format("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "
                    "INSERT INTO {} SELECT {} FROM n",
                    count - 1, into, columns));
  };
  fill("runs (number, run_id, experiment_id, display_name, state, finished, created_ms, started_ms, ended_ms)", runs,
       "i + 1, 'brave_fox_' || i, 1, 'run ' || i, 'Completed', 1, 1764000000000 + i, 1764000000000 + i, "
       "1764000000000 + i");
  fill("state_changes (run, state, timestamp_ms)", runs * 5,
       "i / 5 + 1, CASE i % 5 WHEN 0 THEN 'NotStarted' WHEN 1 THEN 'Queued' WHEN 2 THEN 'Running' WHEN 3 THEN "
       "'Finalizing' ELSE 'Completed' END, 1764000000000 + i");
  fill("params", runs * 20, "i / 20 + 1, 'param_' || (i % 20), 'value ' || i");
  fill("tags", runs * 10, "i / 10 + 1, 'tag_' || (i % 10), 'value ' || i");
  fill("series (series, run, key, step, timestamp_ms, value)", runs * keys,
       fmt::format("i + 1, i / {0} + 1, 'metric_' || (i % {0}), {1}, 1764000000000, 0.1 * i", keys, steps - 1));
  fill(
      "metrics", runs * keys * steps,
      fmt::format("i / {0} * {1} + i % {1} + 1, i / {1} % {2}, 1764000000000 + i, 0.1 * i", keys * steps, keys, steps));
  transaction.commit();
}

void measure_calls(const fs::path& file) {
  measure_ms("open an existing store", 50, [&] { open_sqlite_store(file); });
  const fs::path fresh = file.parent_path() / "fresh.db";
  measure_ms("create a store", 20, [&] {
    open_sqlite_store(fresh);
    for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(fresh.string() + suffix);
  });
  RunQuery first_page;
  first_page.max_results = 50;
  const auto list = [](Store& store, const RunQuery& query) {
    if (store.list_runs(query).runs.empty()) throw failure("nothing was listed");
  };
  const auto store = open_sqlite_store(file);
  measure_ms("list_runs, first 50", 50, [&] { list(*store, first_page); });
  measure_ms("list_runs, first 1000", 20, [&] { list(*store, {}); });
  first_page.experiment_id = "1";
  measure_ms("list_runs of one experiment, first 50", 50, [&] { list(*store, first_page); });
  first_page.only_unfinished = true;
  measure_ms("list_runs, unfinished of one experiment (none are)", 50, [&] { store->list_runs(first_page); });
  int next = 0;
  const auto any_run = [&next] { return fmt::format("brave_fox_{}", next = (next + 7919) % runs); };
  measure_ms("get_run", 50, [&] { store->get_run(any_run()); });
  measure_ms("params + tags + state_history", 50, [&] {
    const std::string run = any_run();
    store->params(run), store->tags(run), store->state_history(run);
  });
  measure_ms("latest_metrics", 50, [&] { store->latest_metrics(any_run()); });
  measure_ms("metric_history of one key (100 values)", 50, [&] {
    if (store->metric_history(any_run(), "metric_3").size() != steps) throw failure("a value is missing");
  });
  measure_ms("job list: open, list_runs 50", 30, [&] {
    list(*open_sqlite_store(file), RunQuery{{}, {}, false, {}, 50, {}});
  });
  measure_ms("job show: open, run, params, tags, states, metrics", 30, [&] {
    const auto opened = open_sqlite_store(file);
    const std::string run = any_run();
    opened->get_run(run), opened->params(run), opened->tags(run), opened->state_history(run);
    opened->latest_metrics(run);
  });
  measure_ms("a run that is not there: the nearest name of 10,000", 10, [&] {
    try {
      store->get_run("brave_fix_17");
      throw failure("a run that is not there was found");
    } catch (const Error& error) {
      if (error.code() != ExitCode::not_found) throw;
    }
  });
}

void measure_commands(const Workspace& workspace, const fs::path& lockstep) {
  ProgramSpec program;
  program.environment = current_environment();
  program.environment["LOCKSTEP_WORKSPACE"] = workspace.root().string();
  for (const auto& arguments :
       {std::vector<std::string>{"job", "list"}, {"job", "show", "--name", "brave_fox_4321"}, {"--version"}}) {
    program.argv = {lockstep.string()};
    program.argv.insert(program.argv.end(), arguments.begin(), arguments.end());
    const ProgramResult result = run_program(program);
    if (result.exit_code() != 0) throw failure("{}: {}", fmt::join(program.argv, " "), result.output);
    measure_ms(fmt::format("the command: lockstep {}", fmt::join(arguments, " ")), 20, [&] { run_program(program); });
  }
}

std::vector<Metric> some_metrics(int count, std::int64_t step) {
  std::vector<Metric> metrics;
  metrics.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    metrics.push_back({fmt::format("metric_{}", i % keys), 0.1 * i, 1764000000000 + step, step + i / keys});
  }
  return metrics;
}

void measure_ingest(const std::string& where, const fs::path& file, int batch_size) {
  constexpr int values = 100'000;
  constexpr int repeats = 5;
  const auto store = open_sqlite_store(file);
  const std::string run = fmt::format("ingest-{}", batch_size);
  NewRun fresh;
  fresh.run_id = run;
  fresh.experiment_id = "0";
  store->create_run(fresh);
  JournalBatch batch;
  batch.metrics = some_metrics(batch_size, 0);
  measure_rate(fmt::format("take_journal, batches of {}, {}", batch_size, where), repeats, values, [&] {
    for (int i = 0; i < values / batch_size; ++i) {
      batch.first_sequence = batch.through_sequence + 1;
      batch.through_sequence += batch_size;
      store->take_journal(run, batch);
    }
  });
  measure_rate(fmt::format("log_batch, batches of {}, {}", batch_size, where), repeats, values, [&] {
    for (int i = 0; i < values / batch_size; ++i) store->log_batch(run, batch.metrics, {}, {});
  });
}

void measure_floor(const fs::path& file, int batch_size) {
  constexpr int values = 100'000;
  write_file_atomically(file, "");
  SqliteDatabase database(file);
  database.use_wal();
  database.execute("CREATE TABLE m (series INTEGER, step INTEGER, timestamp_ms INTEGER, value REAL)");
  measure_rate(fmt::format("floor: plain SQLite inserts, batches of {}", batch_size), 5, values, [&] {
    for (int i = 0; i < values / batch_size; ++i) {
      Transaction transaction(database, Survives::process_death);
      Query insert = database.query("INSERT INTO m VALUES (?, ?, ?, ?)");
      for (int k = 0; k < batch_size; ++k) insert.bind(k % keys, i, 1764000000000 + k, 0.1 * k).run_again();
      transaction.commit();
    }
  });
}

void measure_journal(const fs::path& file) {
  constexpr int entries = 100'000;
  JournalEntry entry;
  entry.metrics = {{"train_loss", 0.31415926}, {"learning_rate", 0.001}, {"samples_per_s", 8123.4}};
  measure_rate("journal: entries of 3 metrics logged", 3, entries, [&] {
    fs::remove(file);
    Journal journal(file, 0);
    for (int i = 0; i < entries; ++i) {
      entry.step = i;
      journal.log(entry);
    }
  });
  measure_rate("journal: entries of 3 metrics read", 5, entries, [&] {
    JournalReader reader(file);
    std::size_t count = 0;
    for (auto batch = reader.read_new(); !batch.empty(); batch = reader.read_new()) count += batch.size();
    if (count != entries) throw failure("{} entries were read", count);
  });
}

void print_json() {
  nlohmann::json rows = nlohmann::json::array();
  for (const auto& row : table) {
    rows.push_back({{"what", row.what}, {"unit", row.unit}, {"median", row.median}, {"best", row.best}});
  }
  fmt::print("{}\n", nlohmann::json{{"benchmark", "history"}, {"time", iso8601(now_ms())}, {"rows", rows}}.dump());
}
}  // namespace

int main(int argc, char** argv) try {
  const fs::path folder = argc > 1 ? argv[1] : "build/benchmarks/history";
  const Workspace workspace(fs::absolute(folder) / ".lockstep");
  generate(workspace);
  fmt::print("{:<58} {:>12} {:>12}\n", "what", "median", "best");
  measure_calls(workspace.store_file());
  const fs::path lockstep = this_program().parent_path().parent_path() / "bin" / "lockstep";
  if (fs::exists(lockstep)) measure_commands(workspace, lockstep);
  const fs::path small = fs::absolute(folder) / "small.db";
  const fs::path floor = fs::absolute(folder) / "floor.db";
  for (const int batch_size : {1, 100, 1000}) {
    for (const fs::path& file : {small, floor}) {
      for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(file.string() + suffix);
    }
    measure_floor(floor, batch_size);
    measure_ingest("new store", small, batch_size);
  }
  measure_journal(fs::absolute(folder) / "journal.jsonl");
  print_json();
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
