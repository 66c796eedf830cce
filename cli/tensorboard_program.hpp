// The installed `tensorboard` program, as a child that ends with us.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/process.hpp"

namespace lockstep::cli {

// Its path, where one is installed.
std::optional<fs::path> find_tensorboard();

struct TensorBoardOptions {
  fs::path folder;          // --logdir
  std::string host;         // empty: its default
  std::optional<int> port;  // nullopt: its default, or the next one that is free
};

// The argument list, for tests.
std::vector<std::string> tensorboard_argv(const fs::path& program, const TensorBoardOptions& options);

// Starts it, says where it serves as soon as it does, and calls `refresh` every few seconds, until a signal asks this
// process to end or the child ends. Then no process of it is left. Returns the exit code; throws failure with what it
// said when it ends before it serves.
int run_tensorboard(const fs::path& program, const TensorBoardOptions& options, const std::function<void()>& refresh);

}  // namespace lockstep::cli
