// `lockstep run FILE`: create and follow in this terminal.
#include <fmt/format.h>

#include <memory>

#include "cli/commands.hpp"
#include "cli/follow_submitted.hpp"
#include "cli/output.hpp"
#include "common/error.hpp"

namespace lockstep::cli {

namespace {

struct RunArguments {
  SubmissionOptions submission;
  bool dry_run = false;
  bool quiet = false;
  std::string format;
};

// `--set a=1 train.yml`: what has no '=' can only be the file.
void take_file_from_sets(SubmissionOptions& submission) {
  if (!submission.file.empty() || submission.sets.empty()) return;
  if (submission.sets.back().find('=') != std::string::npos) return;
  submission.file = submission.sets.back();
  submission.sets.pop_back();
}

int dry_run(const RunArguments& arguments) {
  const plan::Plan plan = plan_job(arguments.submission, Workspace::find());
  if (arguments.format == "json" || arguments.format == "yaml") {
    const Json json = Json::parse(plan::to_json(plan).dump(-1, ' ', false, Json::error_handler_t::replace));
    print_text(arguments.format == "json" ? json.dump(2) + "\n" : to_yaml_text(json));
  } else {
    const std::string text = plan::to_text(plan);
    print_text(text.ends_with('\n') ? text : text + "\n");
  }
  return 0;
}

int run(RunArguments arguments) {
  take_file_from_sets(arguments.submission);
  if (arguments.submission.file.empty()) throw bad_input("which job file? usage: lockstep run FILE");
  if (arguments.dry_run) return dry_run(arguments);
  FollowSubmitted follow;
  follow.quiet = arguments.quiet;
  follow.output.format = arguments.format == "text" ? "" : arguments.format;
  return submit_and_follow(arguments.submission, follow);
}

}  // namespace

void add_run_command(const Command& root) {
  const Command command =
      root.add("run", "Run a job file and follow it here",
               "lockstep run train.yml\n"
               "lockstep run train.yml --set inputs.lr=0.01 --set resources.instance_count=2\n"
               "lockstep run --dry-run train.yml          # what it would do: ranks, commands, folders\n"
               "lockstep run train.yml --name lr-0.01 --quiet");
  auto arguments = std::make_shared<RunArguments>();
  command.option("file", arguments->submission.file, "FILE", "The job file (Azure ML CLI v2 YAML)");
  add_submission_options(command, arguments->submission);
  command.flag("--dry-run", arguments->dry_run, "Print the plan and do nothing");
  command
      .option(
          "-o,--output", arguments->format, "FORMAT",
          "text (default), json or yaml: how --dry-run prints the plan; without it the job is printed at the end and "
          "all else goes to stderr")
      .one_of({"text", "json", "yaml"});
  command.flag("-q,--quiet", arguments->quiet, "Show the ranks' own lines only");
  command.does([arguments] { return run(*arguments); });
}

}  // namespace lockstep::cli
