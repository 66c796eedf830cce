#include "launcher/supervise/run_archive.hpp"

#include <fmt/format.h>

#include "history/transfer/archive_writer.hpp"
#include "history/transfer/store_source.hpp"
#include "launcher/supervise/say.hpp"

namespace lockstep::supervise {

namespace transfer = history::transfer;

void write_run_archive(history::Store& store, const RunFolder& folder) {
  try {
    transfer::StoreSource run(store, {{folder.run_id()}, ""});
    transfer::ArchiveWriter archive(folder.history_file());
    run.give(archive);
  } catch (const std::exception& problem) {
    say("supervisor", fmt::format("the run's history is not in its folder: {}", problem.what()));
  }
}

}  // namespace lockstep::supervise
