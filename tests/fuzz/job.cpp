// Any bytes as a job file: either InputErrors, or a job that is written and read back to the same job.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "common/error.hpp"
#include "launcher/spec/expression.hpp"
#include "launcher/spec/read_job.hpp"

namespace {

using lockstep::spec::CommandJob;

[[noreturn]] void complain(const char* what, const std::string& yaml) {
  std::cerr << what << ":\n" << yaml << '\n';
  std::abort();
}

// What to_yaml writes in place of a secret's value.
CommandJob with_secrets_as_references(CommandJob job) {
  for (auto& [name, value] : job.environment_variables)
    if (lockstep::spec::is_secret(name)) value = "${{secrets." + name + "}}";
  return job;
}

void check_round_trip(const CommandJob& job) {
  const std::string yaml = to_yaml(job);
  if (yaml.size() > std::size_t{1} << 20) return;  // indentation and escapes can take it past what is read
  try {
    const CommandJob again = lockstep::spec::read_job(yaml, "written.yml", job.folder);
    if (again != with_secrets_as_references(job)) complain("reads back as another job", yaml);
    if (to_yaml(again) != yaml) complain("is written differently the second time", yaml);
  } catch (const lockstep::Error& e) {
    complain(e.what(), yaml);
  }
}

// Every expression that the reader let through can be replaced.
void check_resolves(const CommandJob& job) {
  lockstep::spec::resolve(job.command, [](const auto&) { return std::optional<std::string>("value"); });
}

}  // namespace

// The first line, if it begins with "--set ", is a --set; the rest is the file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> sets;
  constexpr std::string_view set_prefix = "--set ";
  if (text.starts_with(set_prefix)) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    sets.emplace_back(text.substr(set_prefix.size(), end - set_prefix.size()));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  try {
    const CommandJob job = lockstep::spec::read_job(text, "fuzz.yml", "/fuzz", sets);
    check_resolves(job);
    check_round_trip(job);
  } catch (const lockstep::InputErrors& e) {
    if (e.all().empty()) std::abort();
  }
  return 0;
}
