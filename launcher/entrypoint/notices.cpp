#include "launcher/entrypoint/notices.hpp"

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/digest.hpp"
#include "common/error.hpp"
#include "launcher/entrypoint/node_folder.hpp"
#include "launcher/entrypoint/say.hpp"

namespace lockstep::entrypoint {

static constexpr auto between_questions = std::chrono::seconds(1);  // as Azure recommends

static fs::path file_of(const fs::path& folder, const Notice& notice) {
  return folder / fmt::format("notice-{}.json", sha256_hex(notice.id).substr(0, 16));
}

static void write_down(const fs::path& folder, const Notice& notice) {
  const nlohmann::json json{{"id", notice.id}, {"type", notice.type}, {"not_before", notice.not_before}};
  write_file_atomically(file_of(folder, notice), json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void Notices::ask_again_and_again(const MetadataService& service) {
  ScheduledEvents events(service);
  bool said = false;
  std::unique_lock lock(mutex_);
  while (!over_) {
    lock.unlock();
    try {
      for (const Notice& each : events.new_notices()) write_down(folder_, each);
    } catch (const Error& error) {  // it did not answer as it should: it is asked again
      if (!std::exchange(said, true)) say(error.what());
    }
    lock.lock();
    wake_.wait_for(lock, between_questions, [this] { return over_; });
  }
}

Notices::Notices(const MetadataService& service, const RankPlace& place, const Environment& environment)
    : folder_(node_folder(place, environment)) {
  if (place.local_rank == 0) asking_ = std::thread([this, service] { ask_again_and_again(service); });
}

Notices::~Notices() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  wake_.notify_all();
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
