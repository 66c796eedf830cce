// Preparing a node before its first rank starts: packages, data, mounts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/file.hpp"
#include "common/process.hpp"
#include "common/run_folder.hpp"

namespace lockstep::entrypoint {

// Runs `command` by bash once for all that share `folder` (node_folder()): the first runs it, the others wait for it.
// Its output goes to `log`. Returns when it has succeeded; throws failure to all of them when it has not.
void prepare_once(const std::string& command, const fs::path& folder, const fs::path& log,
                  const Environment& environment);

// The preparation that a job asks for, on one node of its run.
struct NodePreparation {
  int node = 0;
  std::string host = {};
  std::optional<int> exit_code = {};  // as a shell tells it; nullopt: it is not over
  std::int64_t begun_ms = 0;
  std::int64_t ended_ms = 0;
  bool operator==(const NodePreparation&) const = default;
};

// As prepare_once, and then waits until the run's supervisor says that all nodes are prepared (begin_file()), however
// long that takes. Everybody can see how it goes in prepared_file(); the output is in prepare_log().
void prepare_for_run(const std::string& command, const RunFolder& folder, int node, const std::string& host,
                     const Environment& environment);

std::string to_text(const NodePreparation& preparation);
std::optional<NodePreparation> preparation_from_text(std::string_view text);  // nullopt: it is none
// nullopt where it has not begun. Never throws for what the file holds: a node wrote it.
std::optional<NodePreparation> read_preparation(const RunFolder& folder, int node);

}  // namespace lockstep::entrypoint
