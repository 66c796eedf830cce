// What this machine has, and whether a plan can start on it.
#include <sched.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "launcher/compute/code_listing.hpp"
#include "launcher/compute/local.hpp"
#include "launcher/plan/problems.hpp"

namespace lockstep::compute {

// The cores that this process may use: a container or taskset may allow fewer than there are.
static int usable_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
  const unsigned int cores = std::thread::hardware_concurrency();  // more than a cpu_set_t holds
  return cores == 0 ? 1 : static_cast<int>(cores);
}

static int slots_of_machine() {
  const char* const text = std::getenv("LOCKSTEP_SLOTS");
  if (text == nullptr || *text == '\0') return usable_cores();
  const std::string_view given(text);
  int slots = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), slots);
  if (error == std::errc() && end == given.data() + given.size() && slots >= 1) return slots;
  throw bad_input("LOCKSTEP_SLOTS='{}' is not a whole number from 1 upwards", given);
}

plan::LocalCompute this_machine() {
  char name[256] = "localhost";
  if (::gethostname(name, sizeof name - 1) != 0) std::string_view("localhost").copy(name, sizeof name - 1);
  return {name, slots_of_machine()};
}

namespace {
void check_input(const plan::InputStep& input, plan::Problems& problems) {
  if (input.how != plan::InputStep::How::in_place) return;
  const std::string key = "inputs." + input.name + ".path";
  const fs::path& path = input.sent_from.empty() ? input.path : input.sent_from;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  const bool is_folder = fs::is_directory(status);
  if (status.type() == fs::file_type::not_found) {
    problems.add(key, "nothing is at {}", path.string());
  } else if (error) {
    problems.add(key, "cannot look at {}: {}", path.string(), error.message());
  } else if (input.type == spec::AssetType::uri_file && is_folder) {
    problems.add(key, "{} is a folder, and the input's type is uri_file; say `type: uri_folder`", path.string());
  } else if (input.type == spec::AssetType::uri_folder && !is_folder) {
    problems.add(key,
                 "{} is a file, and the input's type is uri_folder (also when none is given); say `type: uri_file`",
                 path.string());
  } else if (::access(path.c_str(), is_folder ? R_OK | X_OK : R_OK) != 0) {
    problems.add(key, "{} is not readable for you", path.string());
  }
}

void check_output(const plan::OutputStep& output, plan::Problems& problems) {
  const std::string key = "outputs." + output.name + ".path";
  std::error_code error;
  const fs::file_status status = fs::status(output.place, error);
  const bool is_file_output = output.type == spec::AssetType::uri_file;
  if (fs::is_directory(status) && is_file_output) {
    problems.add(key, "{} is a folder, and the output's type is uri_file", output.place.string());
  } else if (fs::exists(status) && !fs::is_directory(status) && !is_file_output) {
    problems.add(key, "{} is a file, and the output's type is a folder's; say `type: uri_file`", output.place.string());
  }
}

void check_code(const fs::path& code, plan::Problems& problems) {
  std::error_code error;
  const fs::file_status status = fs::status(code, error);
  if (status.type() == fs::file_type::not_found) {
    problems.add("code", "no folder is at {}", code.string());
  } else if (!fs::is_directory(status)) {
    problems.add("code", "{} is a file; `code` is the folder that holds it", code.string());
  } else {
    try {
      const auto reason = too_much(list_code(code, [] { return false; }));
      if (reason) problems.add("code", "{} is {}", code.string(), *reason);
    } catch (const Error& unreadable) {
      problems.add("code", "{}; leave it out with an .amlignore file, or make it readable", unreadable.what());
    }
  }
}

void check_program(const plan::Plan& plan, plan::Problems& problems) {
  const auto path = plan.environment.find("PATH");
  const std::string& program = plan.argv.front();
  if (find_program(program, path == plan.environment.end() ? "/usr/bin:/bin" : path->second)) return;
  problems.add(program, "not found in PATH{}",
               program == "mpirun" ? "; Debian has it in the package openmpi-bin" : "; it starts the ranks");
}
}  // namespace

std::vector<Diagnostic> check(const plan::Plan& plan) {
  plan::Problems problems;
  if (plan.code) check_code(*plan.code, problems);
  for (const auto& input : plan.inputs) check_input(input, problems);
  for (const auto& output : plan.outputs) check_output(output, problems);
  check_program(plan, problems);
  return problems.all();
}

}  // namespace lockstep::compute
