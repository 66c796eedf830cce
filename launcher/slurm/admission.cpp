#include "launcher/slurm/admission.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "common/error.hpp"
#include "launcher/slurm/fields.hpp"
#include "launcher/slurm/kept_answer.hpp"
#include "launcher/slurm/limits.hpp"
#include "launcher/slurm/reasons.hpp"

namespace lockstep::slurm {

namespace {

constexpr std::chrono::seconds time_for_trial(20);
constexpr std::string_view never = "Slurm would never start it: ";

// A question to the cluster; "" is the answer where it gives none.
using Ask = std::function<std::string(const std::vector<std::string>&)>;

std::vector<std::string> qos_argv(const std::string& qos) {
  return {"scontrol", "--oneliner", "show", "assoc_mgr", "flags=qos", "qos=" + qos};
}

std::vector<std::string> account_argv(const std::string& account) {
  return {"scontrol", "--oneliner", "show", "assoc_mgr", "flags=assoc", "accounts=" + account};
}

// What a partition's QOS limits comes before what the job's limits.
std::vector<std::string> qos_that_hold(const Ask& ask, const std::string& partition, const std::string& of_job) {
  std::vector<std::string> names;
  const std::string of_partition = read_partition_qos(ask({"scontrol", "--oneliner", "show", "partition"}), partition);
  if (!of_partition.empty()) names.push_back(of_partition);
  if (!of_job.empty() && of_job != of_partition) names.push_back(of_job);
  return names;
}

std::optional<Limit> limit_behind(const Ask& ask, const LimitReason& reason, const QueueRow& job) {
  using Scope = LimitReason::Scope;
  if (reason.is_budget || reason.is_least) return std::nullopt;
  if (reason.holder == LimitReason::Holder::account) {
    if (reason.scope != Scope::all) return std::nullopt;
    return read_account_limit(ask(account_argv(job.account)), job.account, user_name(), reason.thing);
  }
  if (reason.scope != Scope::all && reason.scope != Scope::user) return std::nullopt;
  for (const auto& qos : qos_that_hold(ask, job.partition, job.qos)) {
    const std::string said = ask(qos_argv(qos));
    const auto limit = reason.scope == Scope::all ? read_qos_limit(said, qos, reason.thing)
                                                  : read_user_limit(said, qos, ::geteuid(), reason.thing);
    if (limit) return limit;
  }
  return std::nullopt;
}

std::string remedy(const Limit& limit, std::string_view thing) {
  return fmt::format("ask for fewer nodes, or have the limit of {} of {} raised (docs/quotas.md)", thing, limit.of);
}

// Slurm's trial takes nodes that are down, or on their way out, for nodes that will never be there; a job it lets wait.
bool waits_for_nodes_that_are_away(const spec::SlurmEngine& engine, const Request& request,
                                   const std::string& refusal) {
  if (refusal.find("Requested node configuration is not available") == std::string::npos) return false;
  const auto nodes = nodes_of(engine);
  const bool some_are_away = std::any_of(nodes.begin(), nodes.end(), [](const NodeRow& each) {
    return each.state == "leaving" || each.state == "unusable";
  });
  return some_are_away && std::ssize(nodes) >= request.nodes;
}

// "sbatch: error: QOSGrpCpuLimit", a line before the one that says that a policy was violated.
std::string limit_named(std::string_view said) {
  constexpr std::string_view mark = "error: ";
  for (const auto line : split(said, '\n')) {
    const auto at = line.rfind(mark);
    if (at == std::string_view::npos) continue;
    const auto word = line.substr(at + mark.size());
    if (limit_reason(word)) return std::string(word);
  }
  return "";
}

std::string explained(const spec::SlurmEngine& engine, const std::string& output, const std::string& refusal) {
  const std::string named = limit_named(output);
  if (const auto limit = limit_reason(named)) {
    const std::string why = fmt::format("{} ({})", why_refused(*limit, engine.qos, engine.account), named);
    if (limit->thing == "submitted jobs") return "Slurm does not take it now: " + why;
    return fmt::format("{}{}{}", never, why,
                       limit->is_least ? "" : "; ask for less, or have the limit raised (docs/quotas.md)");
  }
  const bool is_qos = refusal.find("Invalid qos") != std::string::npos;
  const bool is_account = refusal.find("Invalid account") != std::string::npos;
  if (!is_qos && !is_account) return fmt::format("{}{}", never, refusal);
  const std::string& wrong = is_qos ? engine.qos : engine.account;
  return fmt::format("{}{}{}; those that you may use: sacctmgr show associations user={} format=account%30,qos%60",
                     never, refusal, wrong.empty() ? "" : fmt::format(" ('{}')", wrong), user_name());
}

// What Slurm would only notice when it has chosen nodes, and then let the run wait for ever.
std::string beyond_limits(const Ask& ask, const spec::SlurmEngine& engine, const Request& request) {
  std::vector<std::pair<std::optional<Limit>, std::string_view>> limits;
  std::vector<std::pair<std::string, std::string>> answers;
  for (const auto& qos : qos_that_hold(ask, engine.partition, engine.qos))
    answers.emplace_back(qos, ask(qos_argv(qos)));
  for (const char* thing : {"cores", "nodes"}) {
    std::optional<Limit> first;  // which holds in place of the next
    for (const auto& [qos, said] : answers) {
      if (!first) first = read_qos_limit(said, qos, thing);
    }
    limits.emplace_back(first, thing);
  }
  if (!engine.account.empty()) {
    const std::string said = ask(account_argv(engine.account));
    for (const char* thing : {"cores", "nodes"})
      limits.emplace_back(read_account_limit(said, engine.account, user_name(), thing), thing);
  }
  std::erase_if(limits, [](const auto& each) { return !each.first; });
  if (limits.empty()) return "";
  const std::int64_t cores = least_cores(read_nodes(ask(sinfo_argv(engine))), request.nodes);
  for (const auto& [limit, thing] : limits) {
    const std::int64_t wanted = thing == "cores" ? cores : request.nodes;
    if (!limit || wanted <= limit->most) continue;
    return fmt::format("{}its {} {} have {} {}, and the limit of {} is {}: {}", never, request.nodes,
                       request.nodes == 1 ? "node" : "nodes", wanted, thing, limit->of, limit->most,
                       remedy(*limit, thing));
  }
  return "";
}

std::string last_refusal(const std::string& output) {
  std::string last = last_line(output);
  for (const std::string_view prefix : {"sbatch: ", "error: ", "allocation failure: "}) {
    if (last.starts_with(prefix)) last.erase(0, prefix.size());
  }
  return last;
}

}  // namespace

std::string refusal_of(const spec::SlurmEngine& engine, const Request& request) {
  const auto run = [&engine](const std::vector<std::string>& argv) {
    return run_program({.argv = argv, .environment = environment_for(engine), .working_folder = {}}, time_for_trial);
  };
  const auto tried = run(test_argv(engine, request));
  if (tried.exit_code() != 0) {
    const std::string refusal = last_refusal(tried.output);
    return waits_for_nodes_that_are_away(engine, request, refusal) ? "" : explained(engine, tried.output, refusal);
  }
  const Ask ask = [&run](const std::vector<std::string>& argv) {
    const auto answer = run(argv);
    return answer.exit_code() == 0 ? answer.output : "";
  };
  return beyond_limits(ask, engine, request);
}

std::string limit_text(const spec::SlurmEngine& engine, const fs::path& folder, const QueueRow& job) {
  const auto reason = job.state == "PENDING" ? limit_reason(job.reason) : std::nullopt;
  if (!reason) return "";
  const Ask ask = [&](const std::vector<std::string>& argv) -> std::string {
    try {
      return kept_answer(engine, folder, argv);
    } catch (const Error&) {
      return "";  // then it waits for a reason without numbers
    }
  };
  const auto limit = limit_behind(ask, *reason, job);
  if (!limit) return "";
  const std::string numbers = fmt::format("{} (limit {}, in use {})", limit->of, limit->most, limit->in_use);
  if (reason->thing == "jobs") return fmt::format("as many jobs run as it lets: {}", numbers);
  std::string waits = fmt::format("waiting for {} of {}", reason->thing, numbers);
  const std::int64_t wanted =
      reason->thing == "nodes" ? job.nodes : least_cores(read_nodes(ask(sinfo_argv(engine))), job.nodes);
  if (wanted == 0) return waits;
  if (wanted <= limit->most) return fmt::format("{}, of which it needs {}", waits, wanted);
  return fmt::format("{}; it needs {}, which never fits: {}, or cancel it", waits, wanted,
                     remedy(*limit, reason->thing));
}

}  // namespace lockstep::slurm
