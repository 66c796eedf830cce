#include "launcher/slurm/grace.hpp"

#include <charconv>

#include "common/error.hpp"
#include "launcher/slurm/commands.hpp"
#include "launcher/slurm/fields.hpp"

namespace lockstep::slurm {

namespace {
constexpr std::chrono::seconds time_for_scontrol(10);

// The value of "Key=value" among a line's words; "" where it is not.
std::string_view value_in(std::string_view line, std::string_view key) {
  for (const auto word : split(line, ' ')) {
    if (word.starts_with(key) && word.substr(key.size()).starts_with('=')) return word.substr(key.size() + 1);
  }
  return "";
}

// "5", "5 sec", "INFINITE": the number that it begins with, else 0.
std::int64_t leading_number(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value < 0 ? 0 : value;
}

// "KillWait                = 5 sec"
std::int64_t kill_wait_in(std::string_view config) {
  for (const auto line : split(config, '\n')) {
    const auto equals = line.find("= ");
    if (line.starts_with("KillWait ") && equals != line.npos) return leading_number(line.substr(equals + 2));
  }
  return 0;
}
}  // namespace

std::optional<Grace> read_grace(std::string_view partitions, std::string_view config, const std::string& partition) {
  for (const auto line : split(partitions, '\n')) {
    const auto name = value_in(line, "PartitionName");
    const bool is_it = partition.empty() ? value_in(line, "Default") == "YES" : name == partition;
    if (name.empty() || !is_it) continue;
    if (const auto mode = value_in(line, "PreemptMode"); mode.empty() || mode == "OFF") return std::nullopt;
    return Grace{std::string(name), leading_number(value_in(line, "GraceTime")), kill_wait_in(config)};
  }
  return std::nullopt;
}

std::optional<Grace> grace_of(const spec::SlurmEngine& engine) {
  const auto ask = [&](std::vector<std::string> argv) {
    return run_program({.argv = std::move(argv), .environment = environment_for(engine), .working_folder = {}},
                       time_for_scontrol);
  };
  try {
    const auto partitions = ask({"scontrol", "--oneliner", "show", "partition"});
    const auto config = ask({"scontrol", "show", "config"});
    if (partitions.exit_code() != 0 || config.exit_code() != 0) return std::nullopt;
    return read_grace(partitions.output, config.output, engine.partition);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace lockstep::slurm
