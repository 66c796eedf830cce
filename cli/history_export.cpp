// `lockstep history export`: an archive of the workspace's history, or of a part.
#include <fmt/format.h>
#include <unistd.h>

#include <memory>

#include "cli/commands.hpp"
#include "cli/store_option.hpp"
#include "cli/transfer_screen.hpp"
#include "cli/transfer_summary.hpp"
#include "common/error.hpp"
#include "history/transfer/archive_writer.hpp"
#include "history/transfer/store_source.hpp"

namespace lockstep::cli {

namespace {
namespace transfer = history::transfer;

struct ExportArguments {
  transfer::Part part;
  std::string file = "-";
  std::string store;
};

int export_history(const ExportArguments& arguments) {
  const bool to_stdout = arguments.file == "-";
  if (to_stdout && ::isatty(STDOUT_FILENO) == 1) {
    throw bad_input("an archive is for a file or a pipe: name one with -o FILE\nsee: lockstep history export --help");
  }
  if (!arguments.part.run_ids.empty() && !arguments.part.experiment.empty()) {
    throw bad_input("name runs, or --experiment, not both");
  }
  const auto store = existing_store(arguments.store);
  transfer::StoreSource source(*store, arguments.part);
  transfer::ArchiveWriter archive(arguments.file);
  TransferScreen screen(!to_stdout);
  transfer::CountedSink counted(archive, [&](const transfer::Counts& counts) { screen.show(counts); });
  try {
    source.give(counted);
  } catch (const Error& error) {
    if (error.code() != ExitCode::interrupted) throw;
    throw Error(error.code(), fmt::format("interrupted; there is no {}", arguments.file));
  }
  screen.end();
  const transfer::Counts& all = counted.counts();
  fmt::print(stderr, "{} ({}), {}, {}{}\n", cli::counted(all.runs, "run"), cli::counted(all.points, "point"),
             cli::counted(all.experiments, "experiment"), cli::counted(all.models, "model"),
             to_stdout ? "" : ": " + arguments.file);
  return 0;
}
}  // namespace

void add_history_export(const Command& history) {
  const Command command = history.add("export", "Write the history, or a part of it, as an archive",
                                      "lockstep history export -o all.jsonl.gz\n"
                                      "lockstep history export --experiment mnist -o mnist.jsonl.gz\n"
                                      "lockstep history export brave_otter_k3x9m2pq -o one.jsonl\n"
                                      "lockstep history export | ssh there lockstep history import -");
  auto arguments = std::make_shared<ExportArguments>();
  command.option("-n,--name,name", arguments->part.run_ids, "RUN...",
                 "These runs, those below them, and the models that they logged");
  command.option("--experiment-name,--experiment", arguments->part.experiment, "NAME", "All runs of this experiment");
  command.option("-o,--output-file", arguments->file, "FILE",
                 "Where to: compressed if the name ends in .gz; - is stdout (default)");
  add_store_option(command, arguments->store);
  command.does([arguments] { return export_history(*arguments); });
}

}  // namespace lockstep::cli
