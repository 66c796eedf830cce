#include "cli/entrypoint_command.hpp"

#include <charconv>
#include <string_view>

#include "common/error.hpp"

namespace lockstep::cli {

static int positive_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1) {
    throw bad_input("--procs-per-node wants a number of at least 1, not '{}'", text);
  }
  return value;
}

EntrypointArguments parse_entrypoint(std::span<const char* const> arguments) {
  constexpr std::string_view option = "--procs-per-node";
  EntrypointArguments result;
  std::size_t i = 0;
  for (; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--") break;
    if (argument == option && i + 1 < arguments.size()) {
      result.procs_per_node = positive_number(arguments[++i]);
    } else if (argument.starts_with(option) && argument.substr(option.size()).starts_with('=')) {
      result.procs_per_node = positive_number(argument.substr(option.size() + 1));
    } else {
      throw bad_input("entrypoint: unexpected '{}'; usage: lockstep entrypoint [--procs-per-node N] -- ARGV...",
                      argument);
    }
  }
  if (i < arguments.size()) result.argv.assign(arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1, arguments.end());
  if (result.argv.empty()) {
    throw bad_input("entrypoint: no command; usage: lockstep entrypoint [--procs-per-node N] -- ARGV...");
  }
  return result;
}

}  // namespace lockstep::cli
