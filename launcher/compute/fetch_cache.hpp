// The files of the cache of web inputs:
//   inputs/<hash of the address>/lock            flock: held by whoever fetches this address
//   inputs/<hash of the address>/current.json    which version is the newest, and what the server said about it
//   inputs/<hash of the address>/<version>/NAME  the file; a version is the start of its content's SHA-256
//   inputs/<hash of the address>/<version>.lock  flock, shared: held by whoever uses the version; its time is the last
//   use
#pragma once

#include <optional>
#include <string>

#include "launcher/compute/download.hpp"

namespace lockstep::compute {

struct CachedFile {
  std::string version;
  std::string file_name;
  std::string sha256;
  std::uint64_t bytes = 0;
  std::int64_t changed_ns = 0;  // modification time when it came: a file that was written to since is not trusted
  Validators validators;
};

// What the cache keeps of one address.
class CacheEntry {
 public:
  CacheEntry(const fs::path& cache, const std::string& address);

  const fs::path& folder() const { return folder_; }
  fs::path lock_file() const { return folder_ / "lock"; }
  fs::path path_of(const CachedFile& file) const { return folder_ / file.version / file.file_name; }

  // Only for the holder of the lock:
  std::optional<CachedFile> current() const;  // nullopt too when the file is gone or was written to
  CachedFile add(const fs::path& temporary, const Answer& answer) const;  // durable; moves the temporary file in
  void keep_validators(CachedFile file, const Validators& validators) const;
  Fd use(const CachedFile& file) const;  // marks it used now
  void remove_leftovers() const;         // of downloads that were killed

 private:
  void write_current(const CachedFile& file) const;
  fs::path folder_;
  std::string file_name_;
};

// Removes the least recently used versions that nobody uses until all together are within the limit.
void evict(const fs::path& cache, std::uint64_t limit_bytes);

}  // namespace lockstep::compute
