#include "launcher/slurm/limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "launcher/slurm/fields.hpp"

namespace lockstep::slurm {

namespace {

struct Numbers {
  std::int64_t most = 0;
  std::int64_t in_use = 0;
};

// "4(2)": 2 of 4; "N(2)": no limit.
std::optional<Numbers> numbers(std::string_view text) {
  Numbers found;
  const auto most = std::from_chars(text.data(), text.data() + text.size(), found.most);
  const char* const end = text.data() + text.size();
  if (most.ec != std::errc() || most.ptr == end || *most.ptr != '(') return std::nullopt;
  const auto in_use = std::from_chars(most.ptr + 1, end, found.in_use);
  if (in_use.ec != std::errc() || in_use.ptr == end || *in_use.ptr != ')') return std::nullopt;
  return found.most < 0 || found.in_use < 0 ? std::nullopt : std::optional(found);
}

std::optional<std::string_view> value_in(const std::vector<std::string_view>& words, std::string_view key) {
  for (const auto word : words) {
    if (word.size() > key.size() && word.starts_with(key) && word[key.size()] == '=')
      return word.substr(key.size() + 1);
  }
  return std::nullopt;
}

// The text of it in "GrpTRES=cpu=4(2),mem=N(0)".
std::string_view count_of(const std::vector<std::string_view>& words, std::string_view thing,
                          std::string_view resources) {
  const auto each = split(value_in(words, resources).value_or(""), ',');
  return value_in(each, thing == "cores" ? "cpu" : "node").value_or("");
}

// `resources`, `jobs`: Slurm's names for limits on the one ("cpu=4(2),mem=N(0),...") and the other ("4(2)").
std::optional<Numbers> limit_in(const std::vector<std::string_view>& words, std::string_view thing,
                                std::string_view resources, std::string_view jobs) {
  if (thing == "jobs") return numbers(value_in(words, jobs).value_or(""));
  if (thing != "cores" && thing != "nodes") return std::nullopt;
  return numbers(count_of(words, thing, resources));
}

// The line of a QOS.
std::string_view record_of(std::string_view said, const std::string& qos) {
  const std::string beginning = "QOS=" + qos + "(";
  for (const auto line : split(said, '\n')) {
    if (line.starts_with(beginning)) return line;
  }
  return "";
}

// " User Limits= 0={MaxJobsPU=N(1) MaxTRESPU=cpu=2(2)} 7={...}": the words of one; later versions write ada(7)={.
std::vector<std::string_view> words_of_user(std::string_view record, uid_t user) {
  constexpr std::string_view mark = " User Limits=";
  const auto at = record.find(mark);
  if (at == std::string_view::npos) return {};
  record.remove_prefix(at + mark.size());
  for (const std::string& name : {fmt::format(" {}={{", user), fmt::format("({})={{", user)}) {
    const auto begin = record.find(name);
    if (begin == std::string_view::npos) continue;
    const auto inside = record.substr(begin + name.size());
    return split(inside.substr(0, inside.find('}')), ' ');
  }
  return {};
}

}  // namespace

std::optional<Limit> read_qos_limit(std::string_view said, const std::string& qos, std::string_view thing) {
  const auto found = limit_in(split(record_of(said, qos), ' '), thing, "GrpTRES", "GrpJobs");
  return found ? std::optional(Limit{"QOS " + qos, found->most, found->in_use}) : std::nullopt;
}

std::optional<Limit> read_user_limit(std::string_view said, const std::string& qos, uid_t user,
                                     std::string_view thing) {
  const auto found = limit_in(words_of_user(record_of(said, qos), user), thing, "MaxTRESPU", "MaxJobsPU");
  return found ? std::optional(Limit{fmt::format("QOS {} for one user", qos), found->most, found->in_use})
               : std::nullopt;
}

std::optional<Limit> read_job_limit(std::string_view said, const std::string& qos, std::string_view thing) {
  if (thing != "cores" && thing != "nodes") return std::nullopt;
  const auto text = count_of(split(record_of(said, qos), ' '), thing, "MaxTRESPJ");
  std::int64_t most = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), most);
  if (error != std::errc() || end != text.data() + text.size() || most < 0) return std::nullopt;
  return Limit{fmt::format("QOS {} for one job", qos), most, 0};
}

bool has_any_qos_limit(std::string_view said, std::string_view thing) {
  const auto lines = split(said, '\n');
  return std::any_of(lines.begin(), lines.end(), [thing](std::string_view line) {
    return line.starts_with("QOS=") && limit_in(split(line, ' '), thing, "GrpTRES", "GrpJobs");
  });
}

std::vector<Limit> read_account_limits(std::string_view said, const std::string& account, const std::string& user,
                                       std::string_view thing) {
  std::vector<Limit> limits;
  for (const auto line : split(said, '\n')) {
    const auto words = split(line, ' ');
    if (value_in(words, "Account").value_or("") != account) continue;
    const auto name = value_in(words, "UserName").value_or("");
    if (!name.empty() && !name.starts_with(user + "(")) continue;
    const auto found = limit_in(words, thing, "GrpTRES", "GrpJobs");
    if (!found) continue;
    const std::string of_account = "account " + account;
    limits.push_back(
        {name.empty() ? of_account : fmt::format("user {} in {}", user, of_account), found->most, found->in_use});
  }
  return limits;
}

bool keeps_limits(std::string_view said) {
  constexpr std::string_view key = "AccountingStorageEnforce";
  for (const auto line : split(said, '\n')) {
    const auto at = line.find('=');
    if (at == std::string_view::npos || line.substr(0, line.find_first_of(" =")) != key) continue;
    const auto words = split(line.substr(std::min(line.size(), line.find_first_not_of(' ', at + 1))), ',');
    return std::find(words.begin(), words.end(), "limits") != words.end();
  }
  return false;
}

std::string read_partition_qos(std::string_view said, const std::string& partition) {
  for (const auto line : split(said, '\n')) {
    const auto words = split(line, ' ');
    const bool is_it =
        partition.empty() ? value_in(words, "Default") == "YES" : value_in(words, "PartitionName") == partition;
    const auto qos = is_it ? value_in(words, "QoS").value_or("") : "";
    if (!qos.empty() && qos != "N/A") return std::string(qos);
  }
  return "";
}

std::int64_t least_cores(const std::vector<NodeRow>& nodes, int count) {
  if (count <= 0 || std::ssize(nodes) < count) return 0;
  std::vector<int> cores;
  cores.reserve(nodes.size());
  for (const auto& each : nodes) cores.push_back(std::max(0, each.cores));
  std::sort(cores.begin(), cores.end());
  std::int64_t sum = 0;
  for (int i = 0; i < count; ++i) sum += cores[static_cast<std::size_t>(i)];
  return sum;
}

}  // namespace lockstep::slurm
