#include "launcher/plan/references.hpp"

#include <algorithm>
#include <cctype>

#include "launcher/spec/expression.hpp"

namespace lockstep::plan {

static std::optional<std::string> value_of_input(const Plan& plan, const std::string& name) {
  for (const auto& input : plan.inputs) {
    if (input.name != name) continue;
    if (input.how == InputStep::How::literal) return input.source;
    if (input.path.empty()) return "${{inputs." + name + "}}";
    return input.path.string();
  }
  return std::nullopt;
}

static std::optional<std::string> value_of_output(const Plan& plan, const std::string& name) {
  for (const auto& output : plan.outputs) {
    if (output.name == name) return output.path.string();
  }
  return std::nullopt;
}

static std::optional<std::string> value_of_secret(const Plan& plan, const std::string& name) {
  const auto secret = plan.secrets.find(name);
  return secret == plan.secrets.end() ? std::nullopt : std::optional(secret->second);
}

std::string resolve_in(const Plan& plan, std::string_view text) {
  return spec::resolve(text, [&](const std::vector<std::string>& path) -> std::optional<std::string> {
    if (path.size() == 1 && path[0] == "name") return plan.run_id;
    if (path.size() == 2 && path[0] == "inputs") return value_of_input(plan, path[1]);
    if (path.size() == 2 && path[0] == "outputs") return value_of_output(plan, path[1]);
    if (path.size() == 2 && path[0] == "secrets") return value_of_secret(plan, path[1]);
    return std::nullopt;
  });
}

bool needs_quotes(std::string_view text) {
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("@%+=:,./-_").find(static_cast<char>(c)) != std::string_view::npos;
  };
  return text.empty() || !std::all_of(text.begin(), text.end(), plain);
}

std::string shell_quoted(std::string_view text) {
  if (!needs_quotes(text)) return std::string(text);
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += R"('\'')";
    } else {
      quoted += c;
    }
  }
  quoted += '\'';
  return quoted;
}

}  // namespace lockstep::plan
