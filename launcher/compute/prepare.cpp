// Bringing code and inputs to where a plan says they will be, and results to where they belong.
#include <fmt/format.h>

#include "launcher/compute/code_listing.hpp"
#include "launcher/compute/fetch.hpp"
#include "launcher/compute/local.hpp"
#include "launcher/compute/megabytes.hpp"
#include "launcher/compute/result_folders.hpp"
#include "launcher/compute/snapshot.hpp"
#include "launcher/plan/location.hpp"

namespace lockstep::compute {

namespace {
using Say = std::function<void(const std::string&)>;
using Canceled = std::function<bool()>;

void take_snapshot(const plan::Plan& plan, Prepared& prepared, const Say& say, const Canceled& canceled) {
  if (!fs::is_empty(plan.folder.snapshot())) {
    throw failure("{} is not empty: a run is prepared once", plan.folder.snapshot().string());
  }
  CodeListing listing;
  if (plan.code) {
    listing = list_code(*plan.code, canceled);
    if (const auto reason = too_much(listing)) throw failure("{} is {}", plan.code->string(), *reason);
  }
  for (const auto& remark : listing.remarks) say("code: " + remark);
  prepared.snapshot_sha256 = copy_code(listing, plan.code.value_or(fs::path()), plan.folder.snapshot(), canceled);
  prepared.snapshot_files = listing.files;
  prepared.snapshot_bytes = listing.bytes;
  if (plan.code) {
    say(fmt::format("code: copied {} file{} ({}) from {}", listing.files, listing.files == 1 ? "" : "s",
                    size_text(listing.bytes), plan.code->string()));
  }
}

void make_output_places(const plan::Plan& plan) {
  for (const auto& output : plan.outputs) {
    const bool is_file = output.type == spec::AssetType::uri_file;
    fs::create_directories(is_file ? output.place.parent_path() : output.place);
    if (!is_file && output.path != output.place) fs::create_directories(plan.folder.output(output.name));  // is sent
  }
}

InputRecord use_in_place(const plan::InputStep& input) {
  std::error_code error;
  const fs::path& path = input.sent_from.empty() ? input.path : input.sent_from;
  if (!fs::exists(path, error)) throw failure("input '{}': nothing is at {}", input.name, path.string());
  InputRecord record{input.name, input.source, "", 0, false};
  if (fs::is_regular_file(path)) record.bytes = fs::file_size(path);
  return record;
}

// Fetched files stay in use, safe from eviction, until the process ends.
void keep_in_use(Fd lock) {
  static auto* const held = new std::vector<Fd>();  // never destroyed: the kernel drops the locks
  held->push_back(std::move(lock));
}

InputRecord fetch_input(plan::Plan& plan, const std::string& name, const std::string& address, const Say& say,
                        const Canceled& canceled) {
  const Say say_named = [&](const std::string& line) { say(fmt::format("input '{}': {}", name, line)); };
  try {
    Fetched fetched = fetch(address, fs::absolute(cache_folder()), fetch_limits(), say_named, canceled);
    plan::set_input_path(plan, name, fetched.path);
    keep_in_use(std::move(fetched.in_use));
    return {name, plan::without_secrets(address), fetched.sha256, fetched.bytes, fetched.from_cache};
  } catch (const Error& error) {
    if (canceled()) throw;
    throw Error(error.code(), fmt::format("input '{}': {}", name, error.what()));
  }
}
}  // namespace

Prepared prepare(plan::Plan& plan, const Say& say, const Canceled& canceled) {
  Prepared prepared;
  plan.folder.create();
  take_snapshot(plan, prepared, say, canceled);
  link_result_folders(plan.folder, plan.folder.snapshot(), say);
  make_output_places(plan);
  const std::vector<plan::InputStep> inputs = plan.inputs;  // a copy: set_input_path changes the plan's
  for (const auto& input : inputs) {
    if (input.how == plan::InputStep::How::in_place) prepared.inputs.push_back(use_in_place(input));
    if (input.how == plan::InputStep::How::fetch) {
      prepared.inputs.push_back(fetch_input(plan, input.name, input.source, say, canceled));
    }
  }
  return prepared;
}

// What came back from the nodes, to where the job wants it.
static void keep_output(const fs::path& brought, const fs::path& place) {
  if (!fs::exists(brought)) return;
  fs::copy(brought, place, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
}

void collect(const plan::Plan& plan, const Say& say) {
  gather_result_folders(plan.folder, plan.folder.snapshot(), say);
  for (const auto& output : plan.outputs) {
    std::error_code error;
    const bool is_file = output.type == spec::AssetType::uri_file;
    const fs::path brought = plan.folder.output(output.name);
    if (plan.remote && output.place != brought && output.path != output.place) keep_output(brought, output.place);
    const bool is_there = is_file ? fs::exists(output.place, error)
                                  : fs::is_directory(output.place, error) && !fs::is_empty(output.place, error);
    say(fmt::format("output '{}': {}{}", output.name, is_there ? "" : "nothing was written to ",
                    output.place.string()));
  }
}

}  // namespace lockstep::compute
