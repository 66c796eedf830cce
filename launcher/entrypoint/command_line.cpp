#include "launcher/entrypoint/command_line.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <string_view>

#include "common/error.hpp"

namespace lockstep::entrypoint {

static constexpr OptionRow rows[] = {
    {"--toolkit", "NAME", "How the processes find each other: mpi (the default), pytorch, tensorflow, none"},
    {"--procs-per-node", "N", "Derive node and local rank from this many ranks per node"},
    {"--nodes", "N", "TensorFlow: over so many nodes"},
    {"--workers", "N", "TensorFlow: so many workers (all that are no parameter servers)"},
    {"--parameter-servers", "N", "TensorFlow: so many parameter servers (0)"},
    {"--prepare", "COMMAND", "Run this by bash once on each node, before its first rank"},
    {"--job-preparation", "COMMAND", "Of a run: as --prepare, and no rank starts before all its nodes are prepared"},
    {"--sink", "FOLDER",
     "Stay as the parent: keep the output, how it ended and what the machine did in FOLDER, bring it to the MLflow run "
     "of "
     "MLFLOW_RUN_ID, and pass on Azure's notices of preemption"}};

std::span<const OptionRow> option_rows() { return rows; }

static constexpr int most_processes = 1'000'000;

static int number(std::string_view option, std::string_view text, int least) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most_processes) {
    throw bad_input("{} wants a number of at least {}, not '{}'", option, least, text);
  }
  return value;
}

static void set_option(Options& options, std::string_view option, std::string_view value) {
  if (option == "--toolkit") options.toolkit = toolkit_named(value);
  if (option == "--procs-per-node") options.procs_per_node = number(option, value, 1);
  if (option == "--nodes") options.nodes = number(option, value, 1);
  if (option == "--workers") options.workers = number(option, value, 1);
  if (option == "--parameter-servers") options.parameter_servers = number(option, value, 0);
  if (option == "--prepare") options.prepare = value;
  if (option == "--job-preparation") options.job_preparation = value;
  if (option == "--sink") options.sink = value;
}

CommandLine parse_command_line(std::span<const char* const> arguments) {
  constexpr const char* usage = "usage: lockstep entrypoint [OPTION...] -- ARGV... (--help has the options)";
  CommandLine result;
  std::size_t i = 0;
  for (; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--") break;
    const std::size_t equals = std::min(argument.find('='), argument.size());
    const std::string_view option = argument.substr(0, equals);
    if (std::none_of(std::begin(rows), std::end(rows), [&](const OptionRow& row) { return row.name == option; })) {
      throw bad_input("entrypoint: unexpected '{}'; {}", argument, usage);
    }
    if (equals < argument.size()) {
      set_option(result.options, option, argument.substr(equals + 1));
    } else if (i + 1 < arguments.size()) {
      set_option(result.options, option, arguments[++i]);
    } else {
      throw bad_input("entrypoint: {} wants a value; {}", option, usage);
    }
  }
  if (i < arguments.size()) result.argv.assign(arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1, arguments.end());
  if (result.argv.empty()) throw bad_input("entrypoint: no command; {}", usage);
  return result;
}

int run_command_line(std::span<const char* const> arguments) {
  try {
    CommandLine parsed = parse_command_line(arguments);
    become_rank(std::move(parsed.argv), parsed.options);
  } catch (const Error& error) {
    std::fprintf(stderr, "lockstep: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}

}  // namespace lockstep::entrypoint
