// Typed values from the nodes of a tree.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "launcher/spec/yaml_tree.hpp"

namespace lockstep::spec {

std::optional<long> integer_of(std::string_view text);  // decimal, the whole of it; nullopt too when it does not fit
std::optional<bool> boolean_of(std::string_view text);  // true, True, TRUE, false, ...
int to_int(const YamlNode& node);                       // of a node that was checked
bool to_bool(const YamlNode& node);

std::string lower_case(std::string_view text);  // of ASCII
bool equal_ignoring_case(std::string_view a, std::string_view b);

// A scalar's text; a list or a mapping as JSON.
std::string text_or_json(const YamlNode& node);

// "a list", "a mapping", "null"; "text" of any scalar.
std::string_view kind_in_words(const YamlNode& node);

// "azureml:name" is name; "local" and "azureml:local" are the same as none.
std::string compute_name(std::string_view text);

}  // namespace lockstep::spec
