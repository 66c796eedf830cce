// Keeping secrets out of what is printed.
#pragma once

#include <string>
#include <vector>

#include "launcher/plan/plan.hpp"

namespace lockstep::plan {

// Knows the secret values of a plan and replaces them wherever they occur.
class Masker {
 public:
  explicit Masker(const Plan& plan);
  std::string masked(std::string text) const;
  // A variable of a secret name is masked as a whole, however short its value.
  std::string masked_value(const std::string& variable, const std::string& value) const;

 private:
  std::vector<std::string> secrets_;  // longest first: one may be part of another
};

// Names of the plan's secrets whose values stand in the command itself, where `ps` shows them to everybody.
std::vector<std::string> secrets_in_command(const Plan& plan);

// The job as it may be kept: the same job, with references in place of secret values where a job file can have one
// (variables, addresses of inputs: ${{secrets.<INPUT>_QUERY}}), and masked where it can't (command, literals, tags).
spec::CommandJob kept_job(const Plan& plan);

}  // namespace lockstep::plan
