// Files that TensorBoard reads: `events.out.tfevents.<seconds since 1970>.<host>.<pid>.<n>`, records one after the
// other.
//   record = length (8 bytes, little endian), masked CRC-32C of these 8 bytes (4), payload, masked CRC-32C of it (4)
// (tensorflow/core/lib/io/record_writer.h). A record that a kill cut off at a file's end is one that readers wait for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/file.hpp"

namespace lockstep::history::tensorboard {

std::string record(std::string_view payload);

class EventFile {
 public:
  // A new file in `folder`, which is made if it is not there; it begins with its version. Every start of a program has
  // a file of its own: nobody else can be in the middle of a record. `ending` stands behind the name.
  explicit EventFile(const fs::path& folder, std::string_view ending = "");
  // Goes on with a file of which the first `bytes` are known to be whole records: what comes after them is cut off.
  EventFile(const fs::path& file, std::uint64_t bytes);

  // Whole records, with one write(). Throws failure when the disk refuses; then the file is as it was before, and the
  // next call may work.
  void append(std::string_view records);

  const fs::path& path() const { return path_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  fs::path path_;
  Fd fd_;
  std::uint64_t bytes_ = 0;
};

// Whether TensorBoard takes a file of this name for one of events.
bool is_event_file(const fs::path& file);

}  // namespace lockstep::history::tensorboard
