// What MLflow accepts as keys, values and ids. Lengths are in characters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "history/store/store.hpp"

namespace lockstep::history::limits {

inline constexpr std::size_t key_length = 250;
inline constexpr std::size_t param_length = 6000;
inline constexpr std::size_t tag_length = 8000;
inline constexpr std::size_t experiment_name_length = 500;
inline constexpr std::size_t experiment_tag_length = 20'000;
inline constexpr int page_length = 50'000;

// What is wrong with the name of a metric, parameter or tag. Bytes that are no UTF-8 count as characters that it may
// not have. The first of them in this order.
enum class NameFault { none, missing, characters, path, length };
NameFault fault_in_name(std::string_view name);

// The mistake, as a sentence; nullopt: none.
std::optional<std::string> mistake_in_run_id(std::string_view run_id);
std::optional<std::string> mistake_in_experiment_name(std::string_view name);
std::int64_t experiment_number(const std::string& experiment_id);  // throws bad_input for what is no number
std::optional<std::string> mistake_in_metric(const Metric& metric);
std::optional<std::string> mistake_in_dataset_input(const DatasetInput& input);

// The value as it will be stored, or the mistake. A value that is too long is cut, or is a mistake if `cut` is false.
struct Checked {
  std::string_view value;
  std::optional<std::string> mistake;
};
Checked check_param(const KeyValue& param, bool cut);
Checked check_tag(const KeyValue& tag, bool cut);
Checked check_experiment_tag(const KeyValue& tag);  // never cut

bool cut_long_values();  // MLFLOW_TRUNCATE_LONG_VALUES, true unless it says otherwise

}  // namespace lockstep::history::limits
