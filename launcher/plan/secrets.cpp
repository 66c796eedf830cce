#include "launcher/plan/secrets.hpp"

#include <algorithm>
#include <cctype>

#include "launcher/plan/location.hpp"
#include "launcher/plan/references.hpp"
#include "launcher/spec/read_job.hpp"

namespace lockstep::plan {

// Shorter values are no secrets, and masking "1" wherever it occurs would leave nothing readable.
constexpr std::size_t shortest_secret = 4;

Masker::Masker(const Plan& plan) {
  for (const auto& [name, value] : plan.environment) {
    if (spec::is_secret(name)) secrets_.push_back(value);
  }
  for (const auto& [name, value] : plan.job.environment_variables) {
    if (spec::is_secret(name)) secrets_.push_back(value);
  }
  for (const auto& [name, value] : plan.secrets) secrets_.push_back(value);
  for (const auto& input : plan.inputs) {
    const bool by_name = input.how == InputStep::How::literal && spec::is_secret(input.name);
    if (by_name) secrets_.push_back(input.source);
    const SecretParts parts = secret_parts(input.source);
    secrets_.insert(secrets_.end(), {parts.login, parts.query});
  }
  std::erase_if(secrets_, [](const std::string& each) { return each.size() < shortest_secret; });
  std::sort(secrets_.begin(), secrets_.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
}

std::string Masker::masked(std::string text) const {
  for (const auto& secret : secrets_) {
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + spec::masked.size())) {
      text.replace(at, secret.size(), spec::masked);
    }
  }
  return text;
}

std::string Masker::masked_value(const std::string& variable, const std::string& value) const {
  if (spec::is_secret(variable) && !value.empty()) return std::string(spec::masked);
  return masked(value);
}

std::vector<std::string> secrets_in_command(const Plan& plan) {
  std::vector<std::string> names;
  const auto look_for = [&](const std::string& name, const std::string& value) {
    if (value.size() < shortest_secret) return;
    for (const std::string* text : {&plan.job.command, &plan.job.preparation}) {
      if (text->find(value) != std::string::npos) return names.push_back(name);
    }
  };
  for (const auto& [name, value] : plan.job.environment_variables) {
    if (spec::is_secret(name)) look_for(name, resolve_in(plan, value));
  }
  return names;
}

// A part that is one reference already is kept; so is one that is not there.
static std::string reference_for(const std::string& part, const std::string& input, const char* suffix) {
  const bool is_reference = part.starts_with("${{") && part.find("}}") == part.size() - 2;
  if (part.empty() || is_reference) return part;
  std::string name = input + suffix;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? static_cast<char>(std::toupper(c)) : '_';
  return "${{secrets." + name + "}}";
}

static spec::Input kept_input(const std::string& name, spec::Input input, const Masker& masker) {
  if (input.is_literal) {
    input.literal = masker.masked_value(name, input.literal);
  } else {
    const SecretParts parts = secret_parts(input.path);
    input.path = with_parts(input.path,
                            {reference_for(parts.login, name, "_login"), reference_for(parts.query, name, "_query")});
  }
  return input;
}

spec::CommandJob kept_job(const Plan& plan) {
  const Masker masker(plan);
  spec::CommandJob job = plan.job;
  for (std::string* text : {&job.command, &job.preparation, &job.description, &job.display_name})
    *text = masker.masked(*text);
  for (auto& [name, value] : job.tags) value = masker.masked(value);
  for (auto& [name, value] : job.properties) value = masker.masked(value);
  for (auto& [name, value] : job.environment_variables) {
    if (!spec::is_secret(name)) value = masker.masked(value);  // to_yaml has references for the others
  }
  for (auto& [name, input] : job.inputs) input = kept_input(name, std::move(input), masker);
  return job;
}

}  // namespace lockstep::plan
