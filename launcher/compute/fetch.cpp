#include "launcher/compute/fetch.hpp"

#include <fcntl.h>

#include <chrono>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "common/error.hpp"
#include "launcher/compute/download.hpp"
#include "launcher/compute/fetch_cache.hpp"
#include "launcher/compute/megabytes.hpp"
#include "launcher/plan/location.hpp"

namespace lockstep::compute {

namespace {
using Say = std::function<void(const std::string&)>;
using Canceled = std::function<bool()>;

constexpr std::uint64_t default_cache_mb = 20 * 1024;

FileLock wait_for_turn(const CacheEntry& entry, const Say& say, const Canceled& canceled) {
  for (bool said = false;; said = true) {
    if (auto lock = FileLock::try_take(entry.lock_file())) return std::move(*lock);
    if (!said) say("another run is fetching it: waiting for that");
    if (canceled()) throw failure("canceled");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // flock can't be waited for together with a cancel
  }
}

Fetched as_fetched(const CacheEntry& entry, const CachedFile& file, bool from_cache) {
  return {entry.path_of(file), file.sha256, file.bytes, from_cache, entry.use(file)};
}

Fetched fetch_in_turn(const std::string& address, const CacheEntry& entry, const FetchLimits& limits, const Say& say,
                      const Canceled& canceled) {
  const std::string shown = plan::without_secrets(address);
  const auto cached = entry.current();
  if (limits.offline) {
    if (!cached) throw failure("{} is not in the cache, and LOCKSTEP_OFFLINE=1 forbids to fetch it", shown);
    say(fmt::format("{} from the cache, not revalidated (LOCKSTEP_OFFLINE=1)", shown));
    return as_fetched(entry, *cached, true);
  }
  entry.remove_leftovers();
  const fs::path temporary = entry.folder() / "download.part";
  const Fd target = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
  try {
    const Answer answer =
        download(address, cached ? cached->validators : Validators(), target.get(), limits, say, canceled);
    if (answer.unchanged && !cached)
      throw failure("cannot fetch {}: the server answered 304 without being asked", shown);
    if (answer.unchanged) {
      fs::remove(temporary);
      entry.keep_validators(*cached, answer.validators);
      say(fmt::format("{} from the cache ({}, unchanged on the server)", shown, size_text(cached->bytes)));
      return as_fetched(entry, *cached, true);
    }
    const CachedFile file = entry.add(temporary, answer);
    say(fmt::format(
        "fetched {} ({}{})", shown, size_text(file.bytes),
        answer.validators.empty() ? "; the server gives no ETag or Last-Modified, so every run fetches it" : ""));
    return as_fetched(entry, file, false);
  } catch (const Error& error) {
    entry.remove_leftovers();
    if (!cached || canceled()) throw;
    throw failure("{}; the cache has it as it was before: LOCKSTEP_OFFLINE=1 uses that", error.what());
  }
}
}  // namespace

FetchLimits fetch_limits() {
  FetchLimits limits;
  limits.cache_bytes = megabytes_from("LOCKSTEP_CACHE_LIMIT_MB", default_cache_mb);
  const char* const offline = std::getenv("LOCKSTEP_OFFLINE");
  const std::string_view given(offline == nullptr ? "" : offline);
  if (!given.empty() && given != "0" && given != "1")
    throw bad_input("LOCKSTEP_OFFLINE='{}' is neither 0 nor 1", given);
  limits.offline = given == "1";
  return limits;
}

Fetched fetch(const std::string& address, const fs::path& cache, const FetchLimits& limits, const Say& say,
              const Canceled& canceled) {
  const CacheEntry entry(cache, address);
  Fetched fetched;
  {
    const FileLock turn = wait_for_turn(entry, say, canceled);
    fetched = fetch_in_turn(address, entry, limits, say, canceled);
  }
  evict(cache, limits.cache_bytes);
  return fetched;
}

}  // namespace lockstep::compute
