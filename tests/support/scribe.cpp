// A rank for tests of the launcher: writes numbered lines to its standard output and to its journal, and acknowledges
// each, after it was written, in a file of the test. Whatever is acknowledged must be found again after any kill.
//
//   scribe --ack FILE [--lines N] [--pause-ms M] [--ignore-term] [--daemonise] [--exit CODE] [--fail-rank K]
//
// It needs no MPI. --ignore-term: goes on after TERM. --daemonise: leaves a grandchild in a session of its own that
// ignores TERM and never ends by itself.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "common/file.hpp"
#include "common/run_folder.hpp"
#include "history/sink/journal.hpp"

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

int rank_of_this_process() {
  const std::string rank = variable("OMPI_COMM_WORLD_RANK");
  return rank.empty() ? 0 : std::stoi(rank);
}

void leave_daemon() {
  if (::fork() != 0) return;
  ::setsid();
  if (::fork() != 0) ::_exit(0);
  for (const int each : {SIGTERM, SIGHUP, SIGINT}) ::signal(each, SIG_IGN);
  while (true) ::pause();
}

struct Options {
  std::string ack;
  int lines = 40;
  int pause_ms = 10;
  int exit_code = 0;
  int fail_rank = -1;
};

void write_lines(const Options& options, int rank) {
  const lockstep::RunFolder folder(variable("LOCKSTEP_RUN_DIR"));
  lockstep::history::Journal journal(folder.journal(rank), rank);
  const lockstep::Fd ack = lockstep::open_file(options.ack, O_WRONLY | O_CREAT | O_APPEND);
  for (int i = 0; i < options.lines; ++i) {
    lockstep::write_all(STDOUT_FILENO, fmt::format("line {}\n", i));
    lockstep::write_all(ack.get(), fmt::format("log {} {}\n", rank, i));
    lockstep::history::JournalEntry entry;
    entry.step = i;
    entry.metrics = {{fmt::format("value_{}", rank), static_cast<double>(i)}};
    journal.log(entry);
    lockstep::write_all(ack.get(), fmt::format("journal {} {}\n", rank, i));
    ::poll(nullptr, 0, options.pause_ms);
    if (rank == options.fail_rank && i == options.lines / 2) ::_exit(3);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  const int rank = rank_of_this_process();
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--ignore-term") {
      ::signal(SIGTERM, SIG_IGN);
    } else if (name == "--daemonise") {
      leave_daemon();
    } else if (i + 1 < argc) {
      const std::string value = argv[++i];
      if (name == "--ack") options.ack = value;
      if (name == "--lines") options.lines = std::stoi(value);
      if (name == "--pause-ms") options.pause_ms = std::stoi(value);
      if (name == "--exit") options.exit_code = std::stoi(value);
      if (name == "--fail-rank") options.fail_rank = std::stoi(value);
    }
  }
  write_lines(options, rank);
  return options.exit_code;
}
