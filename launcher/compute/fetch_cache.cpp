#include "launcher/compute/fetch_cache.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <ctime>
#include <nlohmann/json.hpp>
#include <tuple>
#include <vector>

#include "common/digest.hpp"
#include "common/error.hpp"

namespace lockstep::compute {

namespace {
fs::path inputs_of(const fs::path& cache) { return cache / "inputs"; }

std::int64_t changed_ns(const struct stat& info) {
  return std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
}

// The last part of the address's path, with nothing in it that a shell or a file system takes for something else.
std::string file_name_in(const std::string& address) {
  const std::size_t host = address.find("://") + 3;
  const std::string path = address.substr(host, address.find_first_of("?#", host) - host);
  const std::size_t slash = path.rfind('/');
  std::string name = slash == std::string::npos ? "" : path.substr(slash + 1);
  for (char& c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
    if (!plain) c = '_';
  }
  constexpr std::size_t longest = 120;
  if (name.size() > longest) name.erase(0, name.size() - longest);  // the end has the extension
  return name.empty() || name[0] == '.' ? "file" + name : name;
}

void sync_folder(const fs::path& folder) {
  const Fd fd = open_file(folder, O_RDONLY | O_DIRECTORY);
  if (::fsync(fd.get()) != 0) throw system_failure("cannot sync " + folder.string());
}
}  // namespace

CacheEntry::CacheEntry(const fs::path& cache, const std::string& address)
    : folder_(inputs_of(cache) / sha256_hex(address).substr(0, 32)), file_name_(file_name_in(address)) {
  // What needed a token to fetch is not for the other users of the machine.
  if (fs::create_directories(inputs_of(cache))) fs::permissions(inputs_of(cache), fs::perms::owner_all);
  fs::create_directories(folder_);
}

std::optional<CachedFile> CacheEntry::current() const {
  const auto text = read_file_if_exists(folder_ / "current.json");
  if (!text) return std::nullopt;
  CachedFile file;
  try {
    const auto json = nlohmann::json::parse(*text);
    json.at("version").get_to(file.version);
    json.at("file_name").get_to(file.file_name);
    json.at("sha256").get_to(file.sha256);
    json.at("bytes").get_to(file.bytes);
    json.at("changed_ns").get_to(file.changed_ns);
    json.at("etag").get_to(file.validators.etag);
    json.at("last_modified").get_to(file.validators.last_modified);
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;  // a cache may forget; it is fetched again
  }
  struct stat info {};
  const bool as_it_came = ::stat(path_of(file).c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
                          static_cast<std::uint64_t>(info.st_size) == file.bytes && changed_ns(info) == file.changed_ns;
  return as_it_came ? std::optional(file) : std::nullopt;
}

void CacheEntry::write_current(const CachedFile& file) const {
  const nlohmann::json json{{"version", file.version},
                            {"file_name", file.file_name},
                            {"sha256", file.sha256},
                            {"bytes", file.bytes},
                            {"changed_ns", file.changed_ns},
                            {"etag", file.validators.etag},
                            {"last_modified", file.validators.last_modified}};
  // Headers are bytes of a stranger: what is no UTF-8 is replaced, and then simply never matches.
  write_file_durably(folder_ / "current.json",
                     json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

CachedFile CacheEntry::add(const fs::path& temporary, const Answer& answer) const {
  CachedFile file{answer.sha256.substr(0, 16), file_name_, answer.sha256, answer.bytes, 0, answer.validators};
  fs::create_directory(folder_ / file.version);
  const Fd fd = open_file(temporary, O_RDONLY);
  struct stat info {};
  const bool safe = ::fchmod(fd.get(), 0444) == 0 && ::fsync(fd.get()) == 0 && ::fstat(fd.get(), &info) == 0;
  if (!safe) throw system_failure("cannot keep " + temporary.string());
  file.changed_ns = changed_ns(info);
  fs::rename(temporary, path_of(file));
  sync_folder(folder_ / file.version);
  write_current(file);
  return file;
}

void CacheEntry::keep_validators(CachedFile file, const Validators& validators) const {
  // A 304 repeats the validators, or leaves them out (RFC 9110, 15.4.5).
  const Validators before = file.validators;
  if (!validators.etag.empty()) file.validators.etag = validators.etag;
  if (!validators.last_modified.empty()) file.validators.last_modified = validators.last_modified;
  const bool same = before.etag == file.validators.etag && before.last_modified == file.validators.last_modified;
  if (!same) write_current(file);
}

Fd CacheEntry::use(const CachedFile& file) const {
  Fd fd = open_file(folder_ / (file.version + ".lock"), O_RDWR | O_CREAT);
  while (::flock(fd.get(), LOCK_SH) != 0) {
    if (errno != EINTR) throw system_failure("cannot lock " + path_of(file).string());
  }
  timespec now{};  // by the fine clock: the kernel's own stamps are milliseconds apart
  ::clock_gettime(CLOCK_REALTIME, &now);
  const timespec times[2] = {now, now};
  if (::futimens(fd.get(), times) != 0) throw system_failure("cannot mark " + path_of(file).string() + " as used");
  return fd;
}

void CacheEntry::remove_leftovers() const {
  for (const auto& each : fs::directory_iterator(folder_)) {
    if (each.path().extension() == ".part") fs::remove(each.path());
  }
}

namespace {
struct Version {
  fs::path entry;  // the folder of its address
  std::string name;
  std::uint64_t bytes = 0;
  std::int64_t used_ns = 0;
};

std::vector<Version> versions_in(const fs::path& cache) {
  std::vector<Version> versions;
  std::error_code gone;  // others evict at the same time
  for (const auto& entry : fs::directory_iterator(inputs_of(cache), gone)) {
    for (const auto& file : fs::directory_iterator(entry.path(), gone)) {
      struct stat info {};
      const bool is_version = file.path().extension() == ".lock" && ::stat(file.path().c_str(), &info) == 0;
      if (!is_version) continue;
      Version version{entry.path(), file.path().stem().string(), 0, changed_ns(info)};
      for (const auto& content : fs::directory_iterator(entry.path() / version.name, gone)) {
        const std::uint64_t bytes = fs::file_size(content.path(), gone);
        if (!gone) version.bytes += bytes;
      }
      versions.push_back(std::move(version));
    }
  }
  return versions;
}

// Whoever fetches holds the entry's lock, whoever uses the version holds the version's: with both in hand nobody does,
// and nobody can begin to.
bool remove_if_unused(const Version& version) {
  const auto nobody_fetches = FileLock::try_take(version.entry / "lock");
  if (!nobody_fetches) return false;
  const fs::path lock_file = version.entry / (version.name + ".lock");
  const auto nobody_uses = FileLock::try_take(lock_file);
  if (!nobody_uses) return false;
  fs::remove_all(version.entry / version.name);
  fs::remove(lock_file);
  return true;
}
}  // namespace

void evict(const fs::path& cache, std::uint64_t limit_bytes) {
  std::vector<Version> versions = versions_in(cache);
  std::sort(versions.begin(), versions.end(), [](const Version& a, const Version& b) {
    return std::tie(a.used_ns, a.entry, a.name) < std::tie(b.used_ns, b.entry, b.name);
  });
  std::uint64_t total = 0;
  for (const auto& version : versions) total += version.bytes;
  for (const auto& version : versions) {
    if (total <= limit_bytes) return;
    if (remove_if_unused(version)) total -= version.bytes;
  }
}

}  // namespace lockstep::compute
