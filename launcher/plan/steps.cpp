#include "launcher/plan/steps.hpp"

#include "launcher/plan/location.hpp"

namespace lockstep::plan {

static InputStep web_input(const std::string& name, const spec::Input& input, Problems& problems) {
  if (input.mode == spec::InputMode::direct) return {name, InputStep::How::literal, input.path, {}, input.type};
  if (input.type != spec::AssetType::uri_file) {
    problems.add("inputs." + name + ".path",
                 "'{}' is a web address and the input's type is {}: the web has no folders to fetch; say `type: "
                 "uri_file` if it is one file, else give a local copy",
                 without_secrets(input.path), name_of(input.type));
  }
  return {name, InputStep::How::fetch, input.path, {}, input.type};
}

static InputStep asset_input(const spec::CommandJob& job, const std::string& name, const spec::Input& input,
                             Problems& problems) {
  if (input.mode == spec::InputMode::eval_mount || input.mode == spec::InputMode::eval_download) {
    problems.add("inputs." + name + ".mode",
                 "this mode evaluates an MLTable, which this version does not do; use ro_mount and read the table in "
                 "the command");
  }
  const Location location = locate(input.path, job.folder);
  if (location.place == Location::Place::web) return web_input(name, input, problems);
  if (location.place == Location::Place::out_of_reach) {
    problems.add("inputs." + name + ".path", "'{}' is {}", without_secrets(input.path), location.need);
  }
  return {name, InputStep::How::in_place, location.path.string(), location.path, input.type};
}

std::vector<InputStep> input_steps(const spec::CommandJob& job, const std::map<std::string, spec::Input>& inputs,
                                   Problems& problems) {
  std::vector<InputStep> steps;
  for (const auto& [name, input] : inputs) {
    if (input.is_literal) {
      steps.push_back({name, InputStep::How::literal, input.literal, {}, input.type});
    } else if (!input.path.empty()) {
      steps.push_back(asset_input(job, name, input, problems));
    } else if (!input.optional) {
      problems.add("inputs." + name, "has no path");
    }
  }
  return steps;
}

// Azure ML names the job in default output paths; so may a job file: ${{name}}.
static std::string with_run_name(std::string path, const std::string& run_id) {
  for (const std::string_view reference : {"${{name}}", "${{ name }}"}) {
    for (auto at = path.find(reference); at != std::string::npos; at = path.find(reference, at + run_id.size())) {
      path.replace(at, reference.size(), run_id);
    }
  }
  return path;
}

std::vector<OutputStep> output_steps(const spec::CommandJob& job, const RunFolder& folder, Problems& problems) {
  std::vector<OutputStep> steps;
  for (const auto& [name, output] : job.outputs) {
    OutputStep step{name, folder.output(name), output.type};
    if (!output.path.empty()) {
      const Location location = locate(with_run_name(output.path, folder.run_id()), job.folder);
      const std::string key = "outputs." + name + ".path";
      if (location.place == Location::Place::web) {
        problems.add(key,
                     "'{}' is a web address, and outputs go to local paths only; leave it out to have the output "
                     "in the run's own folder",
                     without_secrets(output.path));
      } else if (location.place == Location::Place::out_of_reach) {
        problems.add(key, "'{}' is {}; leave it out to have the output in the run's own folder",
                     without_secrets(output.path), location.need);
      }
      step.path = location.path;
    }
    step.place = step.path;
    steps.push_back(std::move(step));
  }
  return steps;
}

std::optional<fs::path> code_folder(const spec::CommandJob& job, Problems& problems) {
  if (job.code.empty()) return std::nullopt;
  const Location location = locate(job.code, job.folder);
  if (location.place == Location::Place::local) return location.path;
  problems.add("code", "'{}' is {}", without_secrets(job.code),
               location.place == Location::Place::web
                   ? "a web address, and `code` is a local folder; download or clone it and give the folder"
                   : location.need);
  return std::nullopt;
}

}  // namespace lockstep::plan
