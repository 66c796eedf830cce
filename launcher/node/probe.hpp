// What a machine says of itself when a run is about to use it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/file.hpp"

namespace lockstep::node {

struct Probe {
  std::string host;
  int cores = 0;
  int gpus = 0;
  std::int64_t memory_bytes = 0;
  std::int64_t memory_free_bytes = 0;
  std::int64_t disk_free_bytes = 0;  // where `folder` is
  std::int64_t time_ms = 0;          // its clock
  std::string open_mpi = {};         // as open_mpi_version() says it, in the PATH of a command that comes by ssh
  std::string seen = {};             // what the file that it was to look at holds; empty: it does not see it
  double speed = 0;                  // of a core: rounds of a fixed computation in a second of its time
  bool operator==(const Probe&) const = default;
};

// "4.1.4"; empty: orted, by which mpirun starts ranks, is not in PATH; "?": it is, and does not say which.
std::string open_mpi_version();

Probe look_around(const fs::path& folder, const fs::path& file_to_see);  // makes the folder

std::string to_text(const Probe& probe);                      // one line of JSON
std::optional<Probe> probe_from_text(std::string_view text);  // the last line that is one; nullopt: none is

}  // namespace lockstep::node
