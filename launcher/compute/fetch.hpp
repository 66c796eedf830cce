// Web inputs: downloaded once into a cache that all runs of this user share, revalidated at every run.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "common/file.hpp"

namespace lockstep::compute {

struct FetchLimits {
  int connect_s = 20;
  int stall_s = 60;  // without a byte
  int redirects = 10;
  std::uint64_t cache_bytes = std::uint64_t{20} << 30;
  bool offline = false;  // use what the cache has, ask nobody
};
FetchLimits fetch_limits();  // with $LOCKSTEP_CACHE_LIMIT_MB and $LOCKSTEP_OFFLINE=1

struct Fetched {
  fs::path path;  // ends in the file name of the address, because programs look at extensions
  std::string sha256;
  std::uint64_t bytes = 0;
  bool from_cache = false;
  Fd in_use;  // while it is open the file is not evicted
};

// Brings what `address` holds now. If the cache has it the server is asked whether it changed (ETag, Last-Modified) and
// only then sends it again; runs that still use the older content keep it. Two runs that want the same address at once:
// one downloads, the other waits and then finds it. A file is in the cache whole or not at all. Afterwards the least
// recently used files that nobody uses go until the cache is within its limit.
// Throws failure with the reason and what to do; with failure("canceled") soon after `canceled` says true.
Fetched fetch(const std::string& address, const fs::path& cache, const FetchLimits& limits,
              const std::function<void(const std::string&)>& say, const std::function<bool()>& canceled);

}  // namespace lockstep::compute
