// `lockstep history`: export, import and rebuild.
#include "cli/commands.hpp"

namespace lockstep::cli {

void add_history_commands(const Command& root) {
  const Command history = root.add("history", "Move, merge and rebuild histories",
                                   "lockstep history export -o all.jsonl.gz\n"
                                   "lockstep history import ~/old/mlruns\n"
                                   "lockstep history rebuild");
  add_history_export(history);
  add_history_import(history);
  add_history_rebuild(history);
}

}  // namespace lockstep::cli
