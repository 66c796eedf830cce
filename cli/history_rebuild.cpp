// `lockstep history rebuild`: the history of this workspace, from the folders of its runs.
#include <fmt/format.h>

#include <memory>

#include "cli/commands.hpp"
#include "cli/transfer_screen.hpp"
#include "cli/transfer_summary.hpp"
#include "common/error.hpp"
#include "launcher/supervise/rebuild.hpp"

namespace lockstep::cli {

namespace {
std::string text_of(const supervise::Rebuilt& rebuilt) {
  std::string text = "Rebuilt: " + taken_text(rebuilt.taken);
  if (rebuilt.live > 0) text += counted(rebuilt.live, "run") + " left alone: somebody owns it at this moment\n";
  for (const std::string& each : rebuilt.remarks) text += "read from its other files: " + printable(each) + "\n";
  return text;
}

int rebuild(const OutputOptions& output) {
  const Workspace workspace = Workspace::find();
  if (!fs::is_directory(workspace.runs())) {
    throw not_found("there are no runs in {} (LOCKSTEP_WORKSPACE names another workspace)", workspace.root().string());
  }
  workspace.create();
  const auto store = history::open_sqlite_store(workspace.store_file());
  TransferScreen screen(true);
  const supervise::Rebuilt rebuilt =
      supervise::rebuild(workspace, *store, [&](const history::transfer::Counts& counts) { screen.show(counts); });
  screen.end();
  Json json = taken_json(rebuilt.taken, screen.seconds());
  json["from_archives"] = rebuilt.from_archives;
  json["live"] = rebuilt.live;
  json["remarks"] = rebuilt.remarks;
  print(json, output, [&](const Terminal&) { return text_of(rebuilt); });
  return rebuilt.taken.refused() > 0 ? static_cast<int>(ExitCode::failed) : 0;
}
}  // namespace

void add_history_rebuild(const Command& history) {
  const Command command = history.add("rebuild", "Add to the history the runs that only their folders know",
                                      "lockstep history rebuild\n"
                                      "mv .lockstep/history.db* /tmp && lockstep history rebuild -o json");
  auto output = std::make_shared<OutputOptions>();
  add_output_options(command, *output);
  command.does([output] { return rebuild(*output); });
}

}  // namespace lockstep::cli
