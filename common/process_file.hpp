// A ProcessId in a file: {"pid":1234,"start_time":567890}. It is how a process tells others, who may start later, whom
// to signal; the start time keeps a reused pid from being mistaken for it.
#pragma once

#include <optional>
#include <string_view>

#include "common/file.hpp"
#include "common/process.hpp"

namespace lockstep {

// Atomic for readers; other members of the object may stand beside these two.
void write_process_file(const fs::path& path, const ProcessId& process);

// nullopt when the file is missing or holds no process (foreign or cut text): never throws for what is in a file.
std::optional<ProcessId> read_process_file(const fs::path& path);
std::optional<ProcessId> parse_process(std::string_view json_text);

}  // namespace lockstep
