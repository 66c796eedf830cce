// The names of the metrics that lockstep-train writes. docs/metrics.md lists them; a test compares.
#pragma once

#include <array>
#include <string_view>

namespace lockstep::history::metric {

// Per logged step (the mean or the last value since the step logged before).
inline constexpr std::string_view train_loss = "train_loss";
inline constexpr std::string_view learning_rate = "learning_rate";
inline constexpr std::string_view samples_per_s = "samples_per_s";        // of all ranks together
inline constexpr std::string_view step_time_ms = "step_time_ms";          // wall time of one step
inline constexpr std::string_view all_reduce_share = "all_reduce_share";  // of the step's time, waiting for gradients

// Per epoch.
inline constexpr std::string_view epoch_train_loss = "epoch_train_loss";
inline constexpr std::string_view validation_loss = "validation_loss";
inline constexpr std::string_view validation_accuracy = "validation_accuracy";

// Per checkpoint.
inline constexpr std::string_view save_seconds = "save_seconds";  // from asking the ranks to compare to the last fsync

// Once, at the end.
inline constexpr std::string_view test_loss = "test_loss";
inline constexpr std::string_view test_accuracy = "test_accuracy";

inline constexpr std::array all{train_loss,       learning_rate,    samples_per_s,   step_time_ms,
                                all_reduce_share, epoch_train_loss, validation_loss, validation_accuracy,
                                save_seconds,     test_loss,        test_accuracy};

}  // namespace lockstep::history::metric
