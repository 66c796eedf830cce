#include "launcher/entrypoint/notices.hpp"

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/digest.hpp"
#include "common/error.hpp"
#include "launcher/entrypoint/node_folder.hpp"

namespace lockstep::entrypoint {

static constexpr auto between_questions = std::chrono::seconds(1);  // as Azure recommends

static fs::path file_of(const fs::path& folder, const Notice& notice) {
  return folder / fmt::format("notice-{}.json", sha256_hex(notice.id).substr(0, 16));
}

static void write_down(const fs::path& folder, const Notice& notice) {
  const nlohmann::json json{{"id", notice.id}, {"type", notice.type}, {"not_before", notice.not_before}};
  write_file_atomically(file_of(folder, notice), json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

static void ask_again_and_again(const MetadataService& service, const fs::path& folder, const std::atomic<bool>& over) {
  ScheduledEvents events(service);
  bool said = false;
  while (!over) {
    try {
      for (const Notice& each : events.new_notices()) write_down(folder, each);
    } catch (const Error& error) {  // it did not answer as it should: it is asked again
      if (!std::exchange(said, true)) std::fprintf(stderr, "lockstep: %s\n", error.what());
    }
    const auto next = std::chrono::steady_clock::now() + between_questions;
    while (!over && std::chrono::steady_clock::now() < next) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

Notices::Notices(const MetadataService& service, const RankPlace& place, const Environment& environment)
    : folder_(node_folder(place, environment)) {
  if (place.local_rank == 0) asking_ = std::thread([=, this] { ask_again_and_again(service, folder_, over_); });
}

Notices::~Notices() {
  over_ = true;
  if (asking_.joinable()) asking_.join();
}

std::vector<Notice> Notices::fresh() {
  std::vector<Notice> notices;
  std::error_code error;
  fs::directory_iterator entry(folder_, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with("notice-") || !name.ends_with(".json") || !known_.insert(name).second) continue;
    const auto json = nlohmann::json::parse(read_file_if_exists(entry->path()).value_or(""), nullptr, false);
    if (!json.is_object()) continue;
    notices.push_back({json.value("id", ""), json.value("type", ""), json.value("not_before", "")});
  }
  return notices;
}

}  // namespace lockstep::entrypoint
