// What the model registry takes as names, tags, aliases and stages: MLflow's rules, and its messages. Every check
// throws bad_input.
#pragma once

#include <string>
#include <string_view>

#include "history/store/values.hpp"

namespace lockstep::history::registry_rules {

inline constexpr std::size_t tag_key_length = 250;  // all lengths in characters
inline constexpr std::size_t tag_value_length = 100'000;
inline constexpr std::size_t alias_length = 255;

// A tag of a registered model, or of any of its versions, that says it is no model but a prompt.
inline constexpr std::string_view prompt_tag = "mlflow.prompt.is_prompt";

void check_model_name(const std::string& name);
void check_new_model_name(const std::string& new_name);
void check_tag_key(const std::string& key);
void check_tag(const KeyValue& tag);
void check_alias(const std::string& alias);
void check_new_alias(const std::string& alias);  // not one that is kept for MLflow's own use, either
bool is_latest(const std::string& alias);        // the alias that every model has, in any case

// "Staging" for "STAGING".
std::string canonical_stage(const std::string& stage);

}  // namespace lockstep::history::registry_rules
