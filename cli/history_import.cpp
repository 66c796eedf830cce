// `lockstep history import`: another history into this workspace's.
#include <fmt/format.h>
#include <unistd.h>

#include <memory>

#include "cli/commands.hpp"
#include "cli/store_option.hpp"
#include "cli/transfer_screen.hpp"
#include "cli/transfer_summary.hpp"
#include "common/error.hpp"
#include "history/store/open_store.hpp"
#include "history/transfer/open_source.hpp"
#include "history/transfer/store_sink.hpp"

namespace lockstep::cli {

namespace {
namespace transfer = history::transfer;

struct ImportArguments {
  std::string source;
  std::string store;
  bool dry_run = false;
  OutputOptions output;
};

// For a look; null: there is none.
std::unique_ptr<history::Store> store_if_there(const std::string& store) {
  const bool there = store.empty() ? fs::exists(Workspace::find().store_file()) : history::is_there(store);
  return there ? existing_store(store) : nullptr;
}

void report(const ImportArguments& arguments, const std::string& what, const transfer::Taken& taken, double seconds) {
  Json json = taken_json(taken, seconds);
  json["source"] = arguments.source;
  json["dry_run"] = arguments.dry_run;
  print(json, arguments.output, [&](const Terminal&) {
    return fmt::format("{} {}: {}", arguments.dry_run ? "Would import from" : "Imported from", what, taken_text(taken));
  });
}

template <class TakingSink>
int give(const ImportArguments& arguments, const transfer::OpenedSource& opened, TakingSink& sink) {
  TransferScreen screen(arguments.source != "-");
  transfer::CountedSink counted(sink, [&](const transfer::Counts& counts) { screen.show(counts); });
  try {
    opened.source->give(counted);
  } catch (const Error& error) {
    screen.end();
    const std::string how_far = arguments.dry_run || sink.taken().added.runs == 0
                                    ? ""
                                    : fmt::format("\nUntil then {} came in, whole; the same command goes on from there",
                                                  cli::counted(sink.taken().added.runs, "run"));
    throw Error(error.code(), error.what() + how_far);
  }
  screen.end();
  report(arguments, opened.what, sink.taken(), screen.seconds());
  return sink.taken().refused() > 0 ? static_cast<int>(ExitCode::failed) : 0;
}

int import_history(const ImportArguments& arguments) {
  if (arguments.source == "-" && ::isatty(STDIN_FILENO) == 1) {
    throw bad_input("- reads an archive from a pipe, and stdin is a terminal");
  }
  const transfer::OpenedSource opened = transfer::open_source(arguments.source);
  if (arguments.dry_run) {
    const auto store = store_if_there(arguments.store);
    transfer::LookingSink looking(store.get());
    return give(arguments, opened, looking);
  }
  const auto store = made_store(arguments.store);
  transfer::StoreSink sink(*store);
  return give(arguments, opened, sink);
}
}  // namespace

void add_history_import(const Command& history) {
  const Command command =
      history.add("import", "Add to this workspace what another history has; what is here already stays as it is",
                  "lockstep history import all.jsonl.gz\n"
                  "lockstep history import ../other/.lockstep\n"
                  "lockstep history import ~/project/mlruns\n"
                  "lockstep history import sqlite:///mlflow.db --dry-run\n"
                  "lockstep history import . --store postgresql://lockstep@db/lockstep\n"
                  "ssh there lockstep history export | lockstep history import -");
  auto arguments = std::make_shared<ImportArguments>();
  command
      .option("source", arguments->source, "SOURCE",
              "An archive (- is stdin), a workspace, MLflow's SQLite database, or an mlruns folder")
      .required();
  add_store_option(command, arguments->store);
  command.flag("--dry-run", arguments->dry_run, "Only say what would come");
  add_output_options(command, arguments->output);
  command.does([arguments] { return import_history(*arguments); });
}

}  // namespace lockstep::cli
