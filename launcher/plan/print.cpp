// A plan for people and for programs.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/clock.hpp"
#include "launcher/plan/location.hpp"
#include "launcher/plan/plan.hpp"
#include "launcher/plan/references.hpp"
#include "launcher/plan/secrets.hpp"

namespace lockstep::plan {

namespace {
const char* name_of(InputStep::How how) {
  switch (how) {
    case InputStep::How::literal:
      return "literal";
    case InputStep::How::in_place:
      return "in_place";
    case InputStep::How::fetch:
      return "fetch";
  }
  return "?";
}

std::string shown_source(const InputStep& input, const Masker& masker) {
  return masker.masked_value(input.how == InputStep::How::literal ? input.name : "", without_secrets(input.source));
}

std::vector<std::string> masked_argv(const Plan& plan, const Masker& masker) {
  std::vector<std::string> argv;
  argv.reserve(plan.argv.size());
  for (const auto& each : plan.argv) argv.push_back(masker.masked(each));
  return argv;
}

nlohmann::json inputs_as_json(const Plan& plan, const Masker& masker) {
  auto list = nlohmann::json::array();
  for (const auto& input : plan.inputs) {
    nlohmann::json each{{"name", input.name}, {"how", name_of(input.how)}, {"source", shown_source(input, masker)}};
    if (input.how != InputStep::How::literal) {
      each["type"] = name_of(input.type);
      each["path"] = input.path.empty() ? nlohmann::json() : nlohmann::json(input.path.string());
    }
    list.push_back(std::move(each));
  }
  return list;
}

// One "  key        text" line; continuation lines are indented under the text.
class Page {
 public:
  void title(const std::string& text) { text_ += text + "\n"; }
  void line(const std::string& key, const std::string& text) {
    std::string indented;
    for (const char c : text) {
      indented += c;
      if (c == '\n') indented += std::string(indent, ' ');
    }
    text_ += fmt::format("  {:<{}}{}\n", key == last_key_ ? "" : key, indent - 2, indented);
    last_key_ = key;
  }
  const std::string& text() const { return text_; }

 private:
  static constexpr std::size_t indent = 15;
  std::string text_;
  std::string last_key_;
};

std::string count_of(std::size_t count, const char* thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

void print_ranks(const Plan& plan, Page& page) {
  page.line("compute",
            fmt::format("{}: {} on {}, {}{}", plan.compute, count_of(plan.ranks.size(), "rank"),
                        count_of(plan.nodes.size(), "node"), count_of(static_cast<std::size_t>(plan.slots), "slot"),
                        !plan.oversubscribed ? ""
                        : plan.remote        ? " (more than they have)"
                                             : " (more than this machine has)"));
  if (const int cores = cores_of(plan); cores > 0) {
    page.line("quota", fmt::format("{} cores of family {}, {}", cores, remote_of(plan).compute.family,
                                   spec::name_of(remote_of(plan).compute.tier)));
  }
  for (std::size_t node = 0; node < plan.nodes.size(); ++node) {
    int first = -1;
    int last = -1;
    std::string tasks;
    for (const auto& rank : plan.ranks) {
      if (rank.node != static_cast<int>(node)) continue;
      if (first < 0) first = rank.rank;
      last = rank.rank;
      if (!rank.task.empty()) tasks += (tasks.empty() ? ": " : ", ") + rank.task;
    }
    const std::string ranks = first == last ? fmt::format("rank {}", first) : fmt::format("ranks {}-{}", first, last);
    page.line("nodes", fmt::format("{}  {}{}", plan.nodes[node], ranks, tasks));
  }
}

void print_inputs_and_outputs(const Plan& plan, const Masker& masker, Page& page) {
  std::size_t width = 0;
  for (const auto& input : plan.inputs) width = std::max(width, input.name.size());
  for (const auto& output : plan.outputs) width = std::max(width, output.name.size());
  for (const auto& input : plan.inputs) {
    const char* remark = !input.sent_from.empty()                ? "  (sent to the nodes)"
                         : input.how == InputStep::How::in_place ? "  (used in place)"
                         : input.how == InputStep::How::fetch    ? "  (fetched into the cache)"
                                                                 : "";
    page.line("inputs", fmt::format("{:<{}} = {}{}", input.name, width, shown_source(input, masker), remark));
  }
  for (const auto& output : plan.outputs) {
    page.line("outputs",
              fmt::format("{:<{}} = {}  ({})", output.name, width, output.place.string(), name_of(output.type)));
  }
}

// Options with their values on one line each would be long: the launcher's words together, then the command by itself.
std::string argv_as_text(const std::vector<std::string>& argv) {
  std::vector<std::string> quoted;
  std::transform(argv.begin(), argv.end(), std::back_inserter(quoted), shell_quoted);
  const std::string command = quoted.back();
  quoted.pop_back();
  return fmt::format("{} \\\n{}", fmt::join(quoted, " "), command);
}
}  // namespace

nlohmann::json to_json(const Plan& plan) {
  const Masker masker(plan);
  auto ranks = nlohmann::json::array();
  for (const auto& each : plan.ranks) {
    ranks.push_back({{"rank", each.rank}, {"node", each.node}, {"local_rank", each.local_rank}});
    if (!each.task.empty()) ranks.back()["task"] = each.task;
  }
  auto environment = nlohmann::json::object();
  for (const auto& [name, value] : plan.environment) environment[name] = masker.masked_value(name, value);
  auto outputs = nlohmann::json::array();
  for (const auto& each : plan.outputs) {
    outputs.push_back({{"name", each.name}, {"type", name_of(each.type)}, {"path", each.place.string()}});
  }
  return {
      {"run_id", plan.run_id},
      {"experiment_name", plan.experiment_name},
      {"display_name", plan.display_name},
      {"user", plan.user},
      {"compute", plan.compute},
      {"nodes", plan.nodes},
      {"ranks", std::move(ranks)},
      {"slots", plan.slots},
      {"oversubscribed", plan.oversubscribed},
      {"run_folder", plan.folder.root().string()},
      {"working_folder", plan.working_folder.string()},
      {"code", plan.code ? nlohmann::json(plan.code->string()) : nlohmann::json()},
      {"inputs", inputs_as_json(plan, masker)},
      {"outputs", std::move(outputs)},
      {"command", masker.masked(plan.command)},
      {"preparation", plan.preparation.empty() ? nlohmann::json() : nlohmann::json(masker.masked(plan.preparation))},
      {"argv", masked_argv(plan, masker)},
      {"environment", std::move(environment)},
      {"timeout_s", plan.timeout_s ? nlohmann::json(*plan.timeout_s) : nlohmann::json()},
      {"notes", plan.notes},
  };
}

std::string to_text(const Plan& plan) {
  const Masker masker(plan);
  Page page;
  page.title(plan.display_name.empty() ? plan.run_id : plan.display_name);
  page.line("run", plan.run_id);
  page.line("experiment", plan.experiment_name);
  print_ranks(plan, page);
  page.line("code", plan.code ? plan.code->string() + "  (copied)" : "none: the command starts in an empty folder");
  page.line("folder", plan.folder.root().string());
  print_inputs_and_outputs(plan, masker, page);
  if (plan.timeout_s) page.line("timeout", duration_text(std::int64_t{*plan.timeout_s} * 1000));
  if (!plan.preparation.empty()) page.line("prepares", "each node: " + masker.masked(plan.preparation));
  page.line("starts", argv_as_text(masked_argv(plan, masker)));
  for (const auto& [name, value] : plan.environment) {
    page.line("environment", fmt::format("{}={}", name, shell_quoted(masker.masked_value(name, value))));
  }
  for (const auto& note : plan.notes) page.line("note", note);
  return page.text();
}

}  // namespace lockstep::plan
