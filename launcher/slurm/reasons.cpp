#include "launcher/slurm/reasons.hpp"

#include <fmt/format.h>

#include <array>

namespace lockstep::slurm {

namespace {

using Holder = LimitReason::Holder;
using Scope = LimitReason::Scope;

struct Word {
  std::string_view slurms;
  std::string_view ours;
};

// As far as a person can do something with them.
constexpr std::array<Word, 14> plain_reasons = {{
    {"Resources", "all nodes that fit are taken"},
    {"Priority", "others come before it"},
    {"Licenses", "its licenses are in use"},
    {"BeginTime", "its time has not come yet"},
    {"PartitionDown", "its compute or partition is stopped"},
    {"PartitionNodeLimit", "it wants more nodes than the partition allows"},
    {"PartitionConfig", "it wants more than the partition allows"},
    {"PartitionTimeLimit", "its time limit is above the partition's"},
    {"ReqNodeNotAvail", "nodes that it needs are down or reserved"},
    {"JobHeldAdmin", "an administrator holds it back"},
    {"InvalidAccount", "its account is no longer one that it may use"},
    {"InvalidQOS", "its QOS is no longer one that it may use"},
    {"AccountNotAllowed", "the partition does not take its account"},
    {"QOSNotAllowed", "the partition does not take its QOS, or its account must not use it"},
}};

// The names of Slurm 22.05. A word that begins another one comes after it.
constexpr std::array<Word, 14> things = {{
    {"Cpu", "cores"},
    {"CPU", "cores"},
    {"Node", "nodes"},
    {"Memory", "memory"},
    {"Mem", "memory"},
    {"GRES", "GPUs and other devices (GRES)"},
    {"License", "licenses"},
    {"SubmitJob", "submitted jobs"},
    {"Jobs", "jobs"},
    {"Wall", "time"},
    {"Billing", "billing units"},
    {"Energy", "energy"},
    {"BB", "burst buffers"},
    {"Unknown", "a resource"},
}};

bool take(std::string_view& text, std::string_view beginning) {
  if (!text.starts_with(beginning)) return false;
  text.remove_prefix(beginning.size());
  return true;
}

std::string_view holder_name(const LimitReason& reason) {
  return reason.holder == Holder::qos ? "its QOS" : "its account";
}

std::string_view beneficiary(Scope scope) {
  switch (scope) {
    case Scope::user:
      return " one user";
    case Scope::account:
      return " one account";
    case Scope::job:
      return " one job";
    case Scope::node:
      return " one job on a node";
    case Scope::all:
      break;
  }
  return "";
}

std::string wants_too_much(const LimitReason& reason, std::string_view holder) {
  if (reason.is_least) return fmt::format("it wants fewer {} than {} asks for", reason.thing, holder);
  if (reason.thing == "time") return fmt::format("its time limit is above that of {}", holder);
  return fmt::format("it wants more {} than {} gives{}", reason.thing, holder, beneficiary(reason.scope));
}

std::string why_limited(const LimitReason& reason) {
  const std::string_view holder = holder_name(reason);
  if (reason.is_budget && reason.scope == Scope::all)
    return fmt::format("the minutes of {} that {} has are used up", reason.thing, holder);
  if (reason.is_least || reason.scope == Scope::job || reason.scope == Scope::node)
    return wants_too_much(reason, holder);
  if (reason.thing == "time") return fmt::format("the time that {} has is used up", holder);
  if (reason.thing == "jobs" || reason.thing == "submitted jobs") {
    return fmt::format("as many {} {} as {} lets{} have", reason.thing, reason.thing == "jobs" ? "run" : "are there",
                       holder, reason.scope == Scope::all ? " all" : beneficiary(reason.scope));
  }
  if (reason.scope != Scope::all)
    return fmt::format("the {} that {} gives{} are in use", reason.thing, holder, beneficiary(reason.scope));
  return fmt::format("the {} of {} {} in use", reason.thing, holder, reason.thing == "memory" ? "is" : "are");
}

}  // namespace

std::string_view without_prefix(std::string_view line) {
  for (const std::string_view prefix : {"salloc: ", "sbatch: ", "error: ", "allocation failure: "}) take(line, prefix);
  return line;
}

std::optional<LimitReason> limit_reason(std::string_view text) {
  LimitReason reason;
  const bool is_of_account = take(text, "Assoc");
  if (is_of_account) reason.holder = Holder::account;
  const bool has_holder = is_of_account || take(text, "QOS");
  const bool is_group = has_holder && take(text, "Grp");
  reason.is_least = has_holder && !is_group && take(text, "Min");
  const bool is_most = !is_group && !reason.is_least && take(text, "Max");  // MaxCpuPerAccount is of a QOS, too
  if (!is_group && !reason.is_least && !is_most) return std::nullopt;
  for (const Word& each : things) {
    if (!take(text, each.slurms)) continue;
    reason.thing = each.ours;
    reason.is_budget = text.find("Minutes") != std::string_view::npos;
    const auto has = [text](std::string_view part) { return text.find(part) != std::string_view::npos; };
    if (is_group) return reason;
    reason.scope = has("PerUser")      ? Scope::user
                   : has("PerAccount") ? Scope::account
                   : has("PerNode")    ? Scope::node
                                       : Scope::job;
    const bool is_of_jobs = reason.thing == "jobs" || reason.thing == "submitted jobs";
    if (is_of_jobs && reason.scope == Scope::job) reason.scope = Scope::user;  // AssocMaxJobsLimit
    return has_holder || reason.scope == Scope::account ? std::optional(reason) : std::nullopt;
  }
  return std::nullopt;
}

std::string why_it_waits(std::string_view reason) {
  for (const Word& each : plain_reasons) {
    if (reason.starts_with(each.slurms)) return std::string(each.ours);
  }
  if (const auto limit = limit_reason(reason)) return why_limited(*limit);
  return reason == "None" || reason.empty() ? "Slurm is looking at it" : fmt::format("Slurm says: {}", reason);
}

std::string why_refused(const LimitReason& reason, const std::string& qos, const std::string& account) {
  const std::string& name = reason.holder == Holder::qos ? qos : account;
  const std::string holder = name.empty()
                                 ? std::string(holder_name(reason))
                                 : fmt::format("{} {}", reason.holder == Holder::qos ? "QOS" : "account", name);
  if (reason.thing == "submitted jobs") {
    return fmt::format("as many jobs wait and run as {} lets{} have: wait until one has ended", holder,
                       reason.scope == Scope::all ? " all" : beneficiary(reason.scope));
  }
  return wants_too_much(reason, holder);
}

}  // namespace lockstep::slurm
