// The lines of an archive, without their newlines. docs/history.md tells what is in them.
#pragma once

#include <span>
#include <string>

#include "history/transfer/transfer.hpp"

namespace lockstep::history::transfer {

std::string first_line(std::int64_t exported_ms);
std::string line_of(const Experiment& experiment);
std::string line_of(const ImportedRun& run);
std::string line_of(const std::string& run_id, const std::string& key, std::span<const Metric> points);
std::string line_of(const ImportedModel& model);
std::string line_of(const LoggedModel& model);
std::string last_line(const Counts& counts);

std::string_view name_of(Lifecycle lifecycle);       // "active", "archived"
std::string_view name_of(LoggedModelStatus status);  // "pending", "ready", "failed"

}  // namespace lockstep::history::transfer
