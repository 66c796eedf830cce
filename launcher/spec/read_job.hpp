// From YAML text to a CommandJob: strict, and every mistake at once.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "launcher/spec/job.hpp"

namespace lockstep::spec {

// Reads a job file; `sets` are the "a.b.c=v" of --set, applied before anything is checked (their mistakes are reported
// with the file name "--set"). Throws InputErrors with all mistakes (exit code 2), or not_found for a missing file.
CommandJob read_job_file(const fs::path& file, std::span<const std::string> sets = {});

// The same from text; `file_name` is for messages, `folder` is what relative paths are relative to.
CommandJob read_job(std::string_view text, const std::string& file_name, const fs::path& folder,
                    std::span<const std::string> sets = {});

// The job as resolved YAML that read_job reads back to the same job. Values of secret variables (is_secret) are
// written as references, never as values.
std::string to_yaml(const CommandJob& job);

// Whether a variable of this name holds a secret: *PASSWORD*, *SECRET*, *TOKEN*, *_KEY, *CREDENTIAL*, *SAS*, ...
bool is_secret(std::string_view variable_name);

// A secret's stand-in wherever a person or a file sees it.
inline constexpr std::string_view masked = "********";

}  // namespace lockstep::spec
