#include "launcher/entrypoint/command_line.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>

#include "common/error.hpp"

namespace lockstep::entrypoint {

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
  if (option == "--sink") options.sink = value;
}

CommandLine parse_command_line(std::span<const char* const> arguments) {
  constexpr std::array<std::string_view, 7> known = {"--toolkit",           "--procs-per-node", "--nodes", "--workers",
                                                     "--parameter-servers", "--prepare",        "--sink"};
  constexpr const char* usage = "usage: lockstep entrypoint [OPTION...] -- ARGV... (--help has the options)";
  CommandLine result;
  std::size_t i = 0;
  for (; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--") break;
    const std::size_t equals = std::min(argument.find('='), argument.size());
    const std::string_view option = argument.substr(0, equals);
    if (std::find(known.begin(), known.end(), option) == known.end()) {
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
