// `lockstep job create` and `job validate`.
#include <fmt/format.h>

#include <memory>

#include "cli/commands.hpp"
#include "cli/follow_submitted.hpp"
#include "cli/job_view.hpp"
#include "common/error.hpp"
#include "launcher/plan/secrets.hpp"
#include "launcher/spec/read_job.hpp"

namespace lockstep::cli {

namespace {

struct CreateArguments {
  SubmissionOptions submission;
  OutputOptions output;
  bool stream = false;
  std::string save_as;
};

int create(const CreateArguments& arguments) {
  if (arguments.stream) {
    FollowSubmitted follow;
    follow.output = arguments.output;
    return submit_and_follow(arguments.submission, follow);
  }
  const Workspace workspace = Workspace::find();
  const Submitted submitted = submit_job(arguments.submission, workspace);
  if (!arguments.save_as.empty())
    write_file_atomically(arguments.save_as, spec::to_yaml(plan::kept_job(submitted.plan)));
  const auto store = history::open_sqlite_store(workspace.store_file());
  const JobDetails details = read_details(*store, workspace, submitted.plan.run_id);
  print(job_json(details, workspace), arguments.output,
        [&](const Terminal&) { return fmt::format("{}\n", submitted.plan.run_id); });
  if (!arguments.output.given()) {
    for (const auto& note : submitted.plan.notes) fmt::print(stderr, "note: {}\n", note);
    fmt::print(stderr, "It goes on in the background; to follow it: lockstep job stream {}\n", submitted.plan.run_id);
  }
  return 0;
}

int validate(const SubmissionOptions& submission) {
  const plan::Plan plan = plan_job(submission, Workspace::find());
  print_text(fmt::format("{}: valid: {} {} on {} {}\n", submission.file, plan.ranks.size(),
                         plan.ranks.size() == 1 ? "rank" : "ranks", plan.nodes.size(),
                         plan.nodes.size() == 1 ? "node" : "nodes"));
  for (const auto& note : plan.notes) fmt::print(stderr, "note: {}\n", note);
  return 0;
}

}  // namespace

void add_job_create(const Command& job) {
  const Command command = job.add("create", "Submit a job file; its run goes on in the background",
                                  "lockstep job create -f train.yml\n"
                                  "run_id=$(lockstep job create -f train.yml --query name -o tsv)\n"
                                  "lockstep job create -f train.yml --set inputs.lr=0.01 --stream");
  auto arguments = std::make_shared<CreateArguments>();
  command.option("-f,--file", arguments->submission.file, "FILE", "The job file (Azure ML CLI v2 YAML)").required();
  add_submission_options(command, arguments->submission);
  command.flag("-s,--stream", arguments->stream, "Follow it to its end, as lockstep run does");
  command.option("-a,--save-as", arguments->save_as, "FILE", "Write the resolved job there as YAML");
  add_output_options(command, arguments->output);
  command.does([arguments] { return create(*arguments); });

  const Command validate_command =
      job.add("validate", "Check a job file and create nothing", "lockstep job validate -f train.yml");
  auto submission = std::make_shared<SubmissionOptions>();
  validate_command.option("-f,--file,file", submission->file, "FILE", "The job file").required();
  validate_command.option("--set", submission->sets, "KEY=VALUE", "Change a value of the file first");
  validate_command.does([submission] { return validate(*submission); });
}

}  // namespace lockstep::cli
