// One training under mpirun, in a folder of its own, and what it left there.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "common/process_file.hpp"
#include "common/run_folder.hpp"
#include "history/sink/journal.hpp"
#include "tests/ranks/mpi_run.hpp"
#include "tests/support/idx_files.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/wait_until.hpp"

namespace lockstep::testing {

class TrainingRun {
 public:
  TrainingRun(int ranks, const fs::path& folder, std::vector<std::string> options, std::string program = LOCKSTEP_TRAIN)
      : ranks_(ranks), run_(folder), options_(std::move(options)), program_(std::move(program)) {
    run_.create();
  }

  ProgramResult run(Environment extra = {}) {
    extra["LOCKSTEP_RUN_DIR"] = run_.root();
    return run_mpi(ranks_, argv(), extra);
  }

  // Starts it, waits until rank 0 has done `step` steps, sends `signal` to one rank, waits for the end.
  ProgramResult run_and_signal(std::int64_t step, int rank, int signal) {
    ProgramSpec program = mpi_program(ranks_, argv(), {{"LOCKSTEP_RUN_DIR", run_.root()}});
    const Fd log = open_file(run_.system_log(), O_WRONLY | O_CREAT | O_APPEND);
    program.stdout_fd = program.stderr_fd = log.get();
    const ProcessId started = start_program(program);
    const bool came = wait_until([&] { return !is_alive(started) || steps_done() >= step; }, std::chrono::minutes(2));
    const auto target = read_process_file(run_.stoppable_file(rank));
    EXPECT_TRUE(came && target && send_signal(*target, signal)) << "no rank to signal:\n"
                                                                << read_file(run_.system_log());
    ProgramResult result;
    wait_until([&] { return ::waitpid(started.pid, &result.status, WNOHANG) != 0; }, std::chrono::minutes(2));
    result.output = read_file(run_.system_log());
    return result;
  }

  // The values of a metric by step, over everything that was recorded.
  std::map<std::int64_t, double> metric(const std::string& name) const {
    std::map<std::int64_t, double> values;
    for (const auto& entry : entries()) {
      for (const auto& [key, value] : entry.metrics) {
        if (key == name) values[entry.step] = value;
      }
    }
    return values;
  }
  // A parameter's first value, a tag's last; empty where there is none.
  std::string parameter(const std::string& name) const {
    for (const auto& entry : entries()) {
      for (const auto& [key, value] : entry.params) {
        if (key == name) return value;
      }
    }
    return "";
  }
  std::string tag(const std::string& name) const {
    std::string last;
    for (const auto& entry : entries()) {
      for (const auto& [key, value] : entry.tags) {
        if (key == name) last = value;
      }
    }
    return last;
  }
  std::int64_t steps_done() const {
    const auto losses = metric("train_loss");
    return losses.empty() ? 0 : losses.rbegin()->first;
  }
  std::string weights() const { return read_file(run_.output("model") / "model.safetensors"); }
  std::vector<std::string> checkpoints() const {
    std::vector<std::string> complete;
    for (const auto& entry : fs::directory_iterator(run_.checkpoints())) {
      if (fs::exists(entry.path() / "manifest.json")) complete.push_back(entry.path().filename());
    }
    std::sort(complete.begin(), complete.end());
    return complete;
  }
  const RunFolder& folder() const { return run_; }

 private:
  std::vector<history::JournalEntry> entries() const {
    history::JournalReader reader(run_.journal(0));
    return reader.read_new(1'000'000);
  }
  std::vector<std::string> argv() const {
    std::vector<std::string> all = {program_};
    all.insert(all.end(), options_.begin(), options_.end());
    return all;
  }

  int ranks_;
  RunFolder run_;
  std::vector<std::string> options_;
  std::string program_;
};

}  // namespace lockstep::testing
