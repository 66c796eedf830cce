// What NCCL itself knows of the job: the text of its RAS service (NCCL 2.24 and later; a socket of every process that
// has a communicator).
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace lockstep::runner {

// $NCCL_RAS_ADDR (host:port), else localhost:28028, as NCCL itself reads it.
std::string ras_address();

// Asks for the status. Nothing when nobody listens there or the time limit has passed before a word came; what had come
// until then otherwise. At most 16 KiB.
std::optional<std::string> ras_status(const std::string& address, std::chrono::milliseconds time_limit);

}  // namespace lockstep::runner
