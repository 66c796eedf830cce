#include "history/store/sqlite_log_writes.hpp"

#include <sqlite3.h>

#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <string>

#include "common/error.hpp"

namespace lockstep::history {
namespace {

// A file is the default VFS's own, so most calls go straight there; behind its bytes lies what we add to it. Only the
// methods that concern us are exchanged, in copies of its tables.
constexpr int frame_header_size = 24;  // sqlite.org/fileformat2, section 4.1
// SQLite's own write takes the 17 low bits of a size. Fewer than this wait, and a page has as many at most.
constexpr std::size_t most_waiting = 1U << 16U;

struct Waiting {  // the end of a log that the file has not yet
  std::string bytes;
  sqlite3_int64 begin = 0;      // in the file, of `bytes`
  bool ends_in_commit = false;  // the frame that was begun last is a transaction's last
  sqlite3_int64 end() const { return begin + static_cast<sqlite3_int64>(bytes.size()); }
};

struct Added {
  Waiting* waiting;     // of a log, which owns it
  sqlite3_file* other;  // of a log: its database; of a database: its log. null: none
};

sqlite3_vfs* plain = nullptr;  // the default VFS
const sqlite3_io_methods* plain_log = nullptr;
const sqlite3_io_methods* plain_database = nullptr;
sqlite3_io_methods log_methods;
sqlite3_io_methods database_methods;

int behind() { return (plain->szOsFile + 15) / 16 * 16; }
Added& added(sqlite3_file* file) { return *reinterpret_cast<Added*>(reinterpret_cast<char*>(file) + behind()); }

int write_waiting(sqlite3_file* log) {
  Waiting& waiting = *added(log).waiting;
  if (waiting.bytes.empty()) return SQLITE_OK;
  const int size = static_cast<int>(waiting.bytes.size());
  const int code = plain_log->xWrite(log, waiting.bytes.data(), size, waiting.begin);
  waiting.begin = waiting.end();
  waiting.bytes.clear();
  return code;
}

int write_log(sqlite3_file* log, const void* bytes, int size, sqlite3_int64 offset) noexcept {
  Waiting& waiting = *added(log).waiting;
  if (offset != waiting.end()) {  // the log begins anew, a frame gets another checksum, or somebody else wrote
    if (const int code = write_waiting(log); code != SQLITE_OK) return code;
    waiting.begin = offset + size;
    waiting.ends_in_commit = true;  // whose frame this is, is not looked into
    return plain_log->xWrite(log, bytes, size, offset);
  }
  const auto* begin = static_cast<const char*>(bytes);
  const bool is_header = size == frame_header_size;
  if (is_header) waiting.ends_in_commit = std::memcmp(begin + 4, "\0\0\0\0", 4) != 0;  // the database's pages after it
  try {
    waiting.bytes.append(begin, static_cast<std::size_t>(size));
  } catch (const std::bad_alloc&) {
    return SQLITE_IOERR_NOMEM;
  }
  const bool is_end = waiting.ends_in_commit && !is_header;
  return is_end || waiting.bytes.size() >= most_waiting ? write_waiting(log) : SQLITE_OK;
}

int read_log(sqlite3_file* log, void* bytes, int size, sqlite3_int64 offset) {
  const int code = write_waiting(log);
  return code == SQLITE_OK ? plain_log->xRead(log, bytes, size, offset) : code;
}

int truncate_log(sqlite3_file* log, sqlite3_int64 size) {
  const int code = write_waiting(log);
  return code == SQLITE_OK ? plain_log->xTruncate(log, size) : code;
}

int sync_log(sqlite3_file* log, int flags) {
  const int code = write_waiting(log);
  return code == SQLITE_OK ? plain_log->xSync(log, flags) : code;
}

int size_of_log(sqlite3_file* log, sqlite3_int64* size) {
  const int code = write_waiting(log);
  return code == SQLITE_OK ? plain_log->xFileSize(log, size) : code;
}

int close_log(sqlite3_file* log) {
  const std::unique_ptr<Waiting> dropped(added(log).waiting);
  if (sqlite3_file* database = added(log).other) added(database).other = nullptr;
  return plain_log->xClose(log);
}

// A writer's turn ends by giving this lock back. What waits then was never committed, and the next writer's frames
// will lie in its place.
int lock_database(sqlite3_file* database, int first, int count, int flags) {
  constexpr int write_lock = 0;  // WAL_WRITE_LOCK, sqlite.org/walformat, section 2.3.1
  sqlite3_file* log = added(database).other;
  if (log != nullptr && first == write_lock && flags == (SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE)) {
    added(log).waiting->bytes.clear();
  }
  return plain_database->xShmLock(database, first, count, flags);
}

void learn_methods_of_logs(const sqlite3_io_methods* methods) {
  plain_log = methods;
  log_methods = *methods;
  log_methods.xWrite = write_log;
  log_methods.xRead = read_log;
  log_methods.xTruncate = truncate_log;
  log_methods.xSync = sync_log;
  log_methods.xFileSize = size_of_log;
  log_methods.xClose = close_log;
}

void learn_methods_of_databases(const sqlite3_io_methods* methods) {
  plain_database = methods;
  database_methods = *methods;
  database_methods.xShmLock = lock_database;
}

void open_database(sqlite3_file* file) {
  static std::once_flag once;
  std::call_once(once, learn_methods_of_databases, file->pMethods);
  added(file) = {};
  if (file->pMethods == plain_database) file->pMethods = &database_methods;  // not on file systems with methods apart
}

void open_log(sqlite3_filename name, sqlite3_file* log) {
  static std::once_flag once;
  std::call_once(once, learn_methods_of_logs, log->pMethods);
  sqlite3_file* database = sqlite3_database_file_object(name);
  if (log->pMethods != plain_log || database->pMethods != &database_methods) return;
  const auto device = static_cast<unsigned>(log->pMethods->xDeviceCharacteristics(log));
  if ((device & SQLITE_IOCAP_POWERSAFE_OVERWRITE) == 0) return;
  std::unique_ptr<Waiting> waiting(new (std::nothrow) Waiting);
  if (!waiting) return;
  added(log) = {waiting.release(), database};
  added(database).other = log;
  log->pMethods = &log_methods;
}

int open(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* flags_then) noexcept {
  const int code = plain->xOpen(plain, name, file, flags, flags_then);
  if (code != SQLITE_OK) return code;
  const auto flag = static_cast<unsigned>(flags);
  if ((flag & SQLITE_OPEN_MAIN_DB) != 0) open_database(file);
  if ((flag & SQLITE_OPEN_WAL) != 0) open_log(name, file);
  return SQLITE_OK;
}
}  // namespace

const char* vfs_with_large_log_writes() {
  static sqlite3_vfs vfs = [] {
    plain = sqlite3_vfs_find(nullptr);
    sqlite3_vfs ours = *plain;
    ours.zName = "lockstep";
    ours.szOsFile = behind() + static_cast<int>(sizeof(Added));
    ours.pNext = nullptr;
    ours.xOpen = open;
    return ours;
  }();
  static const int code = sqlite3_vfs_register(&vfs, 0);
  if (code != SQLITE_OK) throw failure("SQLite refuses a VFS: {}", sqlite3_errstr(code));
  return vfs.zName;
}

}  // namespace lockstep::history
