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

using Scope = LimitReason::Scope;

// A question to the cluster; "" is the answer where it gives none.
using Ask = std::function<std::string(const std::vector<std::string>&)>;

std::vector<std::string> qos_argv(const std::string& qos) {
  return {"scontrol", "--oneliner", "show", "assoc_mgr", "flags=qos", "qos=" + qos};
}

std::vector<std::string> all_qos_argv() { return {"scontrol", "--oneliner", "show", "assoc_mgr", "flags=qos"}; }

std::vector<std::string> account_argv(const std::string& account) {
  return {"scontrol", "--oneliner", "show", "assoc_mgr", "flags=assoc", "accounts=" + account};
}

// What a partition's QOS limits comes before what the job's limits, unless this has the flag OverPartQOS.
std::vector<std::string> qos_that_hold(const Ask& ask, const std::string& partition, const std::string& of_job) {
  std::vector<std::string> names;
  const std::string of_partition = read_partition_qos(ask({"scontrol", "--oneliner", "show", "partition"}), partition);
  if (!of_partition.empty()) names.push_back(of_partition);
  if (!of_job.empty() && of_job != of_partition) names.push_back(of_job);
  return names;
}

std::optional<Limit> limit_of_qos(std::string_view said, const std::string& qos, Scope scope, std::string_view thing) {
  if (scope == Scope::all) return read_qos_limit(said, qos, thing);
  if (scope == Scope::user) return read_user_limit(said, qos, ::geteuid(), thing);
  return scope == Scope::job ? read_job_limit(said, qos, thing) : std::nullopt;
}

// The one of which less is left; nullopt: there is none.
std::optional<Limit> scarcest(const std::vector<Limit>& limits) {
  const auto found = std::min_element(limits.begin(), limits.end(), [](const Limit& one, const Limit& other) {
    return one.most - one.in_use < other.most - other.in_use;
  });
  return found == limits.end() ? std::nullopt : std::optional(*found);
}

std::optional<Limit> smallest(const std::vector<Limit>& limits) {
  const auto found = std::min_element(limits.begin(), limits.end(),
                                      [](const Limit& one, const Limit& other) { return one.most < other.most; });
  return found == limits.end() ? std::nullopt : std::optional(*found);
}

std::optional<Limit> limit_behind(const Ask& ask, const LimitReason& reason, const QueueRow& job) {
  if (reason.is_budget || reason.is_least) return std::nullopt;
  if (reason.holder == LimitReason::Holder::account) {
    if (reason.scope != Scope::all) return std::nullopt;
    return scarcest(read_account_limits(ask(account_argv(job.account)), job.account, user_name(), reason.thing));
  }
  if (reason.scope != Scope::all && reason.scope != Scope::user) return std::nullopt;
  for (const auto& qos : qos_that_hold(ask, job.partition, job.qos)) {
    if (auto limit = limit_of_qos(ask(qos_argv(qos)), qos, reason.scope, reason.thing)) return limit;
  }
  return std::nullopt;
}

std::string remedy(const Limit& limit, std::string_view thing) {
  return fmt::format("ask for fewer nodes, or have the limit of {} of {} raised (docs/quotas.md)", thing, limit.of);
}

// Slurm's trial takes nodes that are down, or on their way out, for nodes that will never be there; a job it lets wait.
bool waits_for_nodes_that_are_away(const Ask& ask, const spec::SlurmEngine& engine, const Request& request,
                                   const std::string& refusal) {
  if (refusal.find("Requested node configuration is not available") == std::string::npos) return false;
  const auto nodes = read_nodes(ask(sinfo_argv(engine)));
  const bool some_are_away = std::any_of(nodes.begin(), nodes.end(), [](const NodeRow& each) {
    return each.state == "leaving" || each.state == "unusable";
  });
  return some_are_away && std::ssize(nodes) >= request.nodes;
}

// "sbatch: error: QOSGrpCpuLimit", a line before the one that says that a policy was violated.
std::string limit_named(std::string_view said) {
  for (const auto line : split(said, '\n')) {
    const auto word = without_prefix(line);
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

struct Bound {
  Limit limit;
  std::string_view thing;
};

// What of a thing a run may have at most. A QOS' limit holds in place of the account's. Of two QOS the larger limit is
// taken: which of them holds is up to a flag (OverPartQOS) that slurmctld does not tell.
std::vector<Bound> bounds(const std::vector<std::pair<std::string, std::string>>& said_of_qos,
                          const std::vector<Limit>& of_account, std::string_view thing) {
  std::vector<Bound> found;
  for (const Scope scope : {Scope::all, Scope::user, Scope::job}) {
    std::optional<Limit> holds;
    for (const auto& [qos, said] : said_of_qos) {
      auto limit = limit_of_qos(said, qos, scope, thing);
      if (limit && (!holds || limit->most > holds->most)) holds = std::move(limit);
    }
    if (!holds && scope == Scope::all) holds = smallest(of_account);
    if (holds) found.push_back({*holds, thing});
  }
  return found;
}

// Empty, too, where Slurm does not answer.
std::vector<Bound> bounds_of(const Ask& ask, const spec::SlurmEngine& engine) {
  if (!keeps_limits(ask({"scontrol", "show", "config"}))) return {};
  std::vector<std::pair<std::string, std::string>> said_of_qos;
  for (const auto& qos : qos_that_hold(ask, engine.partition, engine.qos)) {
    said_of_qos.emplace_back(qos, ask(qos_argv(qos)));
    if (said_of_qos.back().second.empty()) return {};
  }
  const std::string said_of_account = engine.account.empty() ? "" : ask(account_argv(engine.account));
  // Without a name it is the user's default QOS, which may be any of them.
  const bool has_default_qos = !said_of_account.empty() && engine.qos.empty();
  const std::string said_of_any = has_default_qos ? ask(all_qos_argv()) : "";
  std::vector<Bound> all;
  for (const char* thing : {"cores", "nodes"}) {
    const bool may_be_replaced = has_default_qos && (said_of_any.empty() || has_any_qos_limit(said_of_any, thing));
    const auto of_account = may_be_replaced ? std::vector<Limit>{}
                                            : read_account_limits(said_of_account, engine.account, user_name(), thing);
    for (auto& each : bounds(said_of_qos, of_account, thing)) all.push_back(std::move(each));
  }
  return all;
}

// What Slurm would only notice when it has chosen nodes, and then let the run wait for ever.
std::string beyond_limits(const Ask& ask, const spec::SlurmEngine& engine, const Request& request) {
  const auto all = bounds_of(ask, engine);
  if (all.empty()) return "";
  const std::int64_t cores = least_cores(read_nodes(ask(sinfo_argv(engine))), request.nodes);
  for (const auto& [limit, thing] : all) {
    const std::int64_t wanted = thing == "cores" ? cores : request.nodes;
    if (wanted <= limit.most) continue;
    return fmt::format("{}its {} {} have {} {}, and the limit of {} is {}: {}", never, request.nodes,
                       request.nodes == 1 ? "node" : "nodes", wanted, thing, limit.of, limit.most,
                       remedy(limit, thing));
  }
  return "";
}

}  // namespace

std::string refusal_of(const spec::SlurmEngine& engine, const Request& request) {
  const auto run = [&engine](const std::vector<std::string>& argv) {
    return run_program({.argv = argv, .environment = environment_for(engine), .working_folder = {}}, time_for_trial);
  };
  const Ask ask = [&run](const std::vector<std::string>& argv) -> std::string {
    try {
      const auto answer = run(argv);
      return answer.exit_code() == 0 ? answer.output : "";
    } catch (const Error&) {
      return "";  // then the run waits, and says why; the trial has been made
    }
  };
  const auto tried = run(test_argv(engine, request));
  if (tried.exit_code() == 0) return beyond_limits(ask, engine, request);
  const std::string last = last_line(tried.output);
  const std::string refusal(without_prefix(last));
  return waits_for_nodes_that_are_away(ask, engine, request, refusal) ? "" : explained(engine, tried.output, refusal);
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
