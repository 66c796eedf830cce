#include "runner/program.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "runner/agreement.hpp"
#include "runner/reporting.hpp"

namespace lockstep::runner {

static void complain(const std::string& message) {
  std::fflush(stdout);
  fmt::print(stderr, "lockstep-train: {}\n", message);
}

// Errors that every rank makes alike, before ranks know each other: one of them says it.
static int leave_with(const Error& error, const std::string& text) {
  if (rank_of_environment() == 0) fmt::print(stderr, "{}\n", text);
  return static_cast<int>(error.code());
}

static int train_or_take_all_down(const Options& options, Collective& collective, const MakeGpuSums& make_gpu_sums) {
  Fared fared;
  try {
    return static_cast<int>(train(options, collective, make_model, make_gpu_sums));
  } catch (const AgreedError& error) {
    if (error.speaks()) complain(error.what());
    return static_cast<int>(error.code());
  } catch (const Error& error) {
    fared = {error.code(), error.what()};
  } catch (const std::exception& error) {
    fared = {ExitCode::failed, error.what()};
  }
  complain(rank_and_host(collective) + ": " + fared.message);
  collective.abort(static_cast<int>(fared.code));
  return static_cast<int>(fared.code);
}

int run_program(int argc, char** argv, const Parts& parts) {
  CommandLine command;
  try {
    command = parse_command_line({argv + 1, argv + argc});
  } catch (const Error& error) {
    return leave_with(error, error.what());
  }
  if (command.print) {
    if (rank_of_environment() == 0) fmt::print("{}", *command.print);
    return static_cast<int>(ExitCode::done);
  }
  if (command.options.report == "only") {
    try {
      return rank_of_environment() == 0 ? static_cast<int>(report_what_is_left(command.options)) : 0;
    } catch (const Error& error) {
      return leave_with(error, std::string("lockstep-train: ") + error.what());
    }
  }
  std::unique_ptr<Collective> collective;
  try {
    collective = make_collective();
  } catch (const Error& error) {
    return leave_with(error, std::string("lockstep-train: ") + error.what());
  }
  if (parts.decorate) collective = parts.decorate(std::move(collective));
  return train_or_take_all_down(command.options, *collective, parts.make_gpu_sums);
}

}  // namespace lockstep::runner
