// What /proc tells about the processes of this machine.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/process.hpp"

namespace lockstep::processes {

struct ProcessRow {
  ProcessId id;
  pid_t parent = 0;
  pid_t session = 0;
};

// Calls `each` for every process the youngest first, at the moment its line was read, and for those
// that start meanwhile; no zombies.
void for_each_process(const std::function<void(const ProcessRow&)>& each);

// How a process ended that its parent has not reaped yet, as waitpid gives it; nullopt when it runs, is gone, or is
// another one by now.
std::optional<int> status_of_zombie(const ProcessId& process);

// /proc/<pid>/environ, NUL after each entry; empty when it is another user's, or gone.
std::string environment_of(pid_t pid);

// Whether such a block has exactly this entry ("NAME=value").
bool has_entry(std::string_view block, std::string_view entry);
Environment parse_environment(std::string_view block);

}  // namespace lockstep::processes
