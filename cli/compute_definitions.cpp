#include "cli/compute_definitions.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "cli/compute_scaling.hpp"
#include "cli/compute_view.hpp"
#include "cli/confirm.hpp"
#include "cli/output.hpp"
#include "common/error.hpp"
#include "launcher/compute/definitions.hpp"
#include "launcher/compute/local.hpp"

namespace lockstep::cli {

namespace {

using spec::ComputeType;

// An option that stands for a key of the file.
struct KeyOption {
  const char* option;
  const char* key;
  const char* shown;
  const char* help;
};
constexpr KeyOption type_option = {"--type", "type", "TYPE", "amlcompute (default), virtualmachine or computeinstance"};
constexpr KeyOption attached_type_option = {"--type", "type", "TYPE", "virtualmachine"};
constexpr KeyOption size_option = {"--size", "size", "SIZE", "One of Azure's VM sizes: lockstep compute list-sizes"};
constexpr KeyOption tier_option = {"--tier", "tier", "TIER", "dedicated (default) or low_priority"};
constexpr KeyOption min_option = {"--min-instances", "min_instances", "N", "At least so many machines; default 0"};
constexpr KeyOption max_option = {"--max-instances", "max_instances", "N",
                                  "At most so many; default 1, or the number of its hosts"};
constexpr KeyOption idle_option = {"--idle-time-before-scale-down", "idle_time_before_scale_down", "SECONDS",
                                   "Seconds without work; default 120"};
constexpr KeyOption hosts_option = {"--hosts", "engine.hosts", "HOSTS",
                                    "The machines that ssh reaches, as in node-[1-3],head"};
constexpr KeyOption resource_option = {"--resource-id", "resource_id", "ID", "The machine's id in Azure; recorded"};
constexpr KeyOption location_option = {"--location", "location", "REGION", "Azure's region; recorded"};
constexpr KeyOption description_option = {"--description", "description", "TEXT", "For people"};
constexpr KeyOption name_option = {"--name", "name", "NAME", "The compute; default: the name in the file"};

struct DefinitionArguments {
  std::string file;
  std::string name;
  std::vector<std::string> sets;
  std::vector<std::pair<KeyOption, std::string>> by_option;
  OutputOptions output;
};

// A value of --set that is this text, whatever it begins with.
std::string set_of(const std::string& key, const std::string& text) {
  const bool is_yaml = std::string_view("[{\"'").find(text[0]) != std::string_view::npos;
  const bool quoted = is_yaml || text == "null" || text == "~";
  return key + "=" + (quoted ? Json(text).dump(-1, ' ', false, Json::error_handler_t::replace) : text);
}

// --set first, then what options say: they know their mistakes by their own names.
class Sets {
 public:
  explicit Sets(const std::vector<std::string>& given) : all(given), given_(given.size()) {}

  void add(const KeyOption& option, const std::string& value) {
    if (value.empty()) return;
    if (option.key == std::string_view(hosts_option.key)) add_set(option.option, "engine.type=hosts");
    add_set(option.option, set_of(option.key, value));
  }

  template <class Read>
  spec::ReadCompute read(Read read_with) const {
    try {
      return read_with(all);
    } catch (const InputErrors& errors) {
      std::vector<Diagnostic> diagnostics = errors.all();
      for (Diagnostic& each : diagnostics) {
        if (each.file != "--set" || static_cast<std::size_t>(each.line) <= given_) continue;
        each = {options_[static_cast<std::size_t>(each.line) - given_ - 1], 0, 0, each.message};
      }
      throw InputErrors(std::move(diagnostics));
    }
  }

  std::vector<std::string> all;

 private:
  void add_set(const char* option, std::string set) {
    all.push_back(std::move(set));
    options_.emplace_back(option);
  }

  std::size_t given_;
  std::vector<std::string> options_;  // of those after the given ones
};

Sets sets_of(const DefinitionArguments& arguments) {
  Sets sets(arguments.sets);
  sets.add(name_option, arguments.name);
  for (const auto& [option, value] : arguments.by_option) sets.add(option, value);
  return sets;
}

int keep(const Workspace& workspace, const spec::ReadCompute& definition, bool is_new, const OutputOptions& output) {
  const spec::Compute& kept = definition.compute;
  apply_scaling(kept, is_new);  // if its cluster can't have it, there is no such compute
  compute::save(workspace, definition);
  print(compute_json(kept), output, [&](const Terminal&) { return kept.name + "\n"; });
  if (!output.given()) {
    for (const auto& note : notes_on(kept)) fmt::print(stderr, "note: {}\n", note);
  }
  return 0;
}

int create(const DefinitionArguments& arguments, bool attaches) {
  if (arguments.file.empty() && arguments.name.empty()) throw bad_input("say -f FILE, or -n NAME and options");
  const Sets sets = sets_of(arguments);
  const spec::ReadCompute definition = sets.read([&](const std::vector<std::string>& all) {
    if (!arguments.file.empty()) return spec::read_compute_file(arguments.file, all);
    return spec::read_compute(attaches ? "type: virtualmachine" : "{}", "the options", fs::current_path(), all);
  });
  const spec::Compute& made = definition.compute;
  if (attaches && made.type != ComputeType::virtualmachine)
    throw bad_input("only a virtualmachine is attached; for {}: lockstep compute create", spec::name_of(made.type));
  const Workspace workspace = Workspace::find();
  if (fs::exists(workspace.compute_file(made.name)))
    throw bad_input("there is a compute '{0}' already; to change it: lockstep compute update -n {0}", made.name);
  return keep(workspace, definition, true, arguments.output);
}

int update(const DefinitionArguments& arguments) {
  const Workspace workspace = Workspace::find();
  const Sets sets = sets_of(arguments);
  std::string name = arguments.name;
  if (arguments.file.empty()) {
    if (name.empty()) throw bad_input("say -n NAME, or -f FILE with a name in it");
    if (sets.all.size() == 1) throw bad_input("say what changes: --set KEY=VALUE, another option, or -f FILE");
    compute::find(workspace, name);
  }
  const spec::ReadCompute definition = sets.read([&](const std::vector<std::string>& all) {
    return spec::read_compute_file(arguments.file.empty() ? workspace.compute_file(name) : fs::path(arguments.file),
                                   all);
  });
  if (!fs::exists(workspace.compute_file(definition.compute.name))) {
    throw not_found("there is no compute '{}' yet; to make it: lockstep compute create -f {}", definition.compute.name,
                    arguments.file);
  }
  try {
    check_scaling(compute::find(workspace, definition.compute.name), definition.compute);
  } catch (const InputErrors& damaged) {
    fmt::print(stderr, "note: {}; it is replaced\n", damaged.what());
  }
  return keep(workspace, definition, false, arguments.output);
}

int list_computes(const OutputOptions& output) {
  const auto machine = compute::this_machine();
  const auto computes = compute::list(Workspace::find());
  Json all = Json::array({local_compute_json(machine)});
  for (const spec::Compute& each : computes) all.push_back(compute_json(each));
  print(all, output, [&](const Terminal& terminal) { return compute_table(machine, computes, terminal); });
  return 0;
}

int show_compute(const std::string& name, const OutputOptions& output) {
  print(name == "local" ? local_compute_json(compute::this_machine())
                        : compute_json(compute::find(Workspace::find(), name)),
        output);
  return 0;
}

std::string question(const Workspace& workspace, const std::string& name) {
  if (compute_has_nodes(workspace, name)) return fmt::format("Delete compute '{}' with its nodes?", name);
  return fmt::format("Delete the definition of compute '{}'?", name);
}

int remove(const std::string& name, bool yes) {
  if (name == "local") throw bad_input("local is this machine: it stays");
  const Workspace workspace = Workspace::find();
  const bool is_there = fs::exists(workspace.compute_file(name));  // and perhaps damaged
  if (is_there && !yes && !confirmed(question(workspace, name), STDIN_FILENO)) {
    fmt::print(stderr, "Nothing was deleted.\n");
    return static_cast<int>(ExitCode::failed);
  }
  if (is_there) {
    try {
      remove_scaling(compute::find(workspace, name));
    } catch (const InputErrors& damaged) {
      fmt::print(stderr, "note: {}; nodes that it may have had in a cluster stay\n", damaged.what());
    }
  }
  compute::remove(workspace, name);
  return 0;
}

void add_options(const Command& command, const std::shared_ptr<DefinitionArguments>& arguments,
                 std::initializer_list<KeyOption> options) {
  arguments->by_option.reserve(options.size());  // the parser keeps their addresses
  for (const KeyOption& each : options) {
    arguments->by_option.emplace_back(each, "");
    command.option(each.option, arguments->by_option.back().second, each.shown, each.help);
  }
  command.option("--set", arguments->sets, "KEY=VALUE", "Change a value first, as in engine.ssh.user=ada; repeatable");
  add_output_options(command, arguments->output);
}

void add_create(const Command& compute) {
  const Command command =
      compute.add("create", "Define a compute, from a file or from options",
                  "lockstep compute create -f configs/compute/hosts.yml\n"
                  "lockstep compute create -n rack --hosts node-[1-3],head --set engine.ssh.user=ada\n"
                  "lockstep compute create -n cpu-cluster --type amlcompute --size Standard_DS3_v2 --max-instances 4");
  auto arguments = std::make_shared<DefinitionArguments>();
  command.option("-f,--file", arguments->file, "FILE", "The compute's file (Azure ML CLI v2 YAML, and `engine`)");
  command.option("-n,--name", arguments->name, name_option.shown, name_option.help);
  add_options(command, arguments,
              {type_option, size_option, min_option, max_option, idle_option, tier_option, hosts_option,
               location_option, description_option});
  command.does([arguments] { return create(*arguments, false); });
}

void add_attach(const Command& compute) {
  const Command command = compute.add("attach", "Define a virtualmachine: a machine that is there already",
                                      "lockstep compute attach -f vm.yml\n"
                                      "lockstep compute attach -n box --hosts box.example.org");
  auto arguments = std::make_shared<DefinitionArguments>();
  command.option("-f,--file", arguments->file, "FILE", "The compute's file (Azure ML CLI v2 YAML, and `engine`)");
  command.option("-n,--name", arguments->name, name_option.shown, name_option.help);
  add_options(command, arguments,
              {attached_type_option, hosts_option, resource_option, location_option, description_option});
  command.does([arguments] { return create(*arguments, true); });
}

void add_update(const Command& compute) {
  const Command command = compute.add("update", "Change a compute's definition, or replace it by a file",
                                      "lockstep compute update rack --max-instances 2\n"
                                      "lockstep compute update rack --set engine.ssh.port=2222 tags.room=12\n"
                                      "lockstep compute update -f rack.yml");
  auto arguments = std::make_shared<DefinitionArguments>();
  command.option("-n,--name,name", arguments->name, name_option.shown, name_option.help);
  command.option("-f,--file", arguments->file, "FILE", "The file that takes the definition's place");
  add_options(command, arguments,
              {min_option, max_option, idle_option, tier_option, hosts_option, location_option, description_option});
  command.does([arguments] { return update(*arguments); });
}

void add_removal(const Command& compute, const std::string& verb, const std::string& description) {
  const Command command = compute.add(verb, description, fmt::format("lockstep compute {} rack --yes", verb));
  auto name = std::make_shared<std::string>();
  auto yes = std::make_shared<bool>(false);
  add_name(command, *name, "The compute");
  command.flag("-y,--yes", *yes, "Do not ask");
  command.does([name, yes] { return remove(*name, *yes); });
}

}  // namespace

void add_definition_commands(const Command& compute) {
  add_create(compute);
  add_attach(compute);
  add_update(compute);

  const Command list_command = compute.add("list", "List computes: this machine, and those that are defined here",
                                           "lockstep compute list\n"
                                           "lockstep compute list --query '[].name' -o tsv");
  auto listed = std::make_shared<OutputOptions>();
  add_output_options(list_command, *listed);
  list_command.does([listed] { return list_computes(*listed); });

  struct ShowArguments {
    std::string name;
    OutputOptions output;
  };
  const Command show_command = compute.add("show", "Show a compute's definition",
                                           "lockstep compute show rack\n"
                                           "lockstep compute show rack --query engine.hosts -o json");
  auto shown = std::make_shared<ShowArguments>();
  add_name(show_command, shown->name, "The compute");
  add_output_options(show_command, shown->output);
  show_command.does([shown] { return show_compute(shown->name, shown->output); });

  add_removal(compute, "delete", "Delete a compute's definition, and nodes that were made for it; other machines stay");
  add_removal(compute, "detach", "Delete the definition of an attached machine, which stays as it is");
}

std::vector<std::string> compute_names() {
  std::vector<std::string> names = {"local"};
  for (const spec::Compute& each : compute::list(Workspace::find())) names.push_back(each.name);
  return names;
}

}  // namespace lockstep::cli
