// Looking after a rank's command as its parent.
#pragma once

#include <functional>

#include "launcher/entrypoint/entrypoint.hpp"

namespace lockstep::entrypoint {

// Whether somebody has to stay: a sink was asked for, or it is a task of a TensorFlow job in a run.
bool needs_attendance(const RankPlace& place, const Options& options, const Environment& environment);

// Never returns: ends as the command ended.
[[noreturn]] void attend(const RankPlace& place, const Options& options, const Environment& environment,
                         const std::function<void()>& become_command);

}  // namespace lockstep::entrypoint
