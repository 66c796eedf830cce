#include "cli/application.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <clocale>
#include <memory>
#include <string_view>

#include "cli/commands.hpp"
#include "cli/completion.hpp"
#include "cli/output.hpp"
#include "cli/parser.hpp"
#include "common/error.hpp"
#include "common/nearest.hpp"
#include "common/trace.hpp"

namespace lockstep::cli {

static const CLI::App& chosen_command(const CLI::App& root) {
  const CLI::App* command = &root;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return *command;
}

std::string full_name(const CLI::App& command) {
  if (command.get_parent() == nullptr) return "lockstep";
  return full_name(*command.get_parent()) + " " + command.get_name();
}

std::string help_of(const CLI::App& command) {
  return command.help(command.get_parent() == nullptr ? "" : full_name(*command.get_parent()));
}

static std::vector<std::string> subcommand_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* each : command.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(each->get_name());
  }
  return names;
}

static std::string see_help(const CLI::App& command) { return fmt::format("\nsee: {} --help", full_name(command)); }

// Words that no command took. An unknown option is the reason for whatever else is wrong, so it is looked for first.
static void refuse_unknown(const CLI::App& command) {
  const std::vector<std::string> extras = command.remaining();
  const auto option = std::find_if(extras.begin(), extras.end(),
                                   [](const std::string& each) { return each.size() > 1 && each.front() == '-'; });
  if (option != extras.end()) {
    const std::string word = option->substr(0, option->find('='));
    throw bad_input("unknown option '{}'{}{}", word, did_you_mean(word, option_names(command)), see_help(command));
  }
  if (extras.empty()) return;
  const auto names = subcommand_names(command);
  if (!names.empty()) {
    throw bad_input("unknown command '{} {}'{}{}", full_name(command), extras.front(),
                    did_you_mean(extras.front(), names), see_help(command));
  }
  throw bad_input("unexpected '{}'{}", extras.front(), see_help(command));
}

static const CLI::App& command_at(const CLI::App& root, const std::vector<std::string>& path) {
  const CLI::App* command = &root;
  for (const auto& word : path) {
    const auto found = command->get_subcommands([&](const CLI::App* app) { return app->get_name() == word; });
    if (found.empty()) {
      throw bad_input("unknown command '{} {}'{}", full_name(*command), word,
                      did_you_mean(word, subcommand_names(*command)));
    }
    command = found.front();
  }
  return *command;
}

static void add_help_command(const Command& root) {
  const Command command = root.add("help", "Print the help of a command", "lockstep help job create");
  auto path = std::make_shared<std::vector<std::string>>();
  command.option("command", *path, "[COMMAND...]", "The command");
  command.does([root, path] {
    print_text(help_of(command_at(root.app(), *path)));
    return 0;
  });
}

std::unique_ptr<CLI::App> make_parser(Actions& actions) {
  auto app = std::make_unique<CLI::App>("Runs distributed training jobs and keeps their history", "lockstep");
  app->allow_extras();            // inherited; refuse_unknown() names them better
  app->require_subcommand(0, 1);  // inherited by nouns below: a run may be named like a command
  app->footer(
      "Examples:\n"
      "  lockstep run train.yml\n"
      "  lockstep job list\n"
      "  lockstep help job create");
  const Command root(*app, actions);
  add_run_command(root);
  add_job_commands(root);
  add_experiment_commands(root);
  add_compute_commands(root);
  add_quota_commands(root);
  add_cluster_commands(root);
  add_metrics_command(root);
  add_tensorboard_command(root);
  add_serve_command(root);
  add_token_commands(root);
  add_history_commands(root);
  add_doctor_command(root);
  add_entrypoint_help(root);
  add_completion_commands(root);
  add_version_command(root);
  add_help_command(root);
  app->add_flag_callback(
      "--version", [] { throw CLI::CallForVersion(); }, "Print the version");
  return app;
}

static int run_command(const CLI::App& command, const Actions& actions) {
  const auto action = actions.find(&command);
  if (action != actions.end()) return action->second();
  fmt::print(stderr, "{}", help_of(command));
  return static_cast<int>(ExitCode::bad_input);
}

static int parse_and_run(int argc, const char* const* argv) {
  Actions actions;
  const auto root = make_parser(actions);
  if (argc > 1 && argv[1] == std::string_view(complete_command))
    return print_completions(*root, {argv + 2, argv + argc});
  try {
    root->parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    print_text(help_of(chosen_command(*root)));
    return 0;
  } catch (const CLI::CallForVersion&) {
    print_text(fmt::format("lockstep {}\n", LOCKSTEP_VERSION));
    return 0;
  } catch (const CLI::ParseError& error) {
    const CLI::App& command = chosen_command(*root);
    refuse_unknown(command);
    throw bad_input("{}{}", error.what(), see_help(command));
  }
  const CLI::App& command = chosen_command(*root);
  refuse_unknown(command);
  return run_command(command, actions);
}

int run_application(int argc, const char* const* argv) {
  trace("main");
  std::setlocale(LC_CTYPE, "");  // for the width of characters; numbers keep their point
  try {
    return parse_and_run(argc, argv);
  } catch (const InputErrors& errors) {
    const std::size_t count = errors.all().size();
    fmt::print(stderr, "{}\n{} {}; nothing was created\n", errors.what(), count, count == 1 ? "mistake" : "mistakes");
    return static_cast<int>(errors.code());
  } catch (const Error& error) {
    fmt::print(stderr, "lockstep: {}\n", error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    fmt::print(stderr, "lockstep: {}\n", error.what());
    return static_cast<int>(ExitCode::failed);
  }
}

}  // namespace lockstep::cli
