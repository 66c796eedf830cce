#include "launcher/spec/quotas.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "launcher/spec/keys.hpp"
#include "launcher/spec/mistakes.hpp"
#include "launcher/spec/quoted.hpp"
#include "launcher/spec/scalar.hpp"
#include "launcher/spec/vm_sizes.hpp"

namespace lockstep::spec {

namespace {

std::string_view check_quota_tier(std::string_view text) { return tier_named(text) ? "" : "dedicated or low_priority"; }

Quota read_quota(const YamlNode& row, Mistakes& mistakes) {
  Quota quota;
  std::string family;
  std::string tier = "dedicated";
  Keys keys(row, "", mistakes);
  if (keys.required("family", family) && !family.empty()) {
    try {
      quota.family = vm_family_named(family);
    } catch (const Error& unknown) {
      mistakes.add(row.find("family")->mark, unknown.what());
    }
  }
  keys.optional("tier", tier, check_quota_tier);
  quota.tier = tier_named(tier).value_or(Tier::dedicated);
  keys.required("limit", quota.limit, Range{0, most_cores});
  keys.refuse_others();
  return quota;
}

std::vector<Quota> read_rows_of(const YamlNode& root, Mistakes& mistakes) {
  std::vector<Quota> quotas;
  std::map<std::pair<std::string, Tier>, int> lines;  // of each quota
  for (const YamlNode& row : root.items) {
    if (mistakes.is_full()) break;
    if (!row.is_mapping()) {
      mistakes.add(row.mark, fmt::format("a quota must be a mapping, not {}", kind_in_words(row)));
      continue;
    }
    quotas.push_back(read_quota(row, mistakes));
    const Quota& quota = quotas.back();
    if (quota.family.empty()) continue;
    const auto [first, is_new] = lines.emplace(std::pair(quota.family, quota.tier), row.mark.line);
    if (is_new) continue;
    mistakes.add(row.mark, fmt::format("{} has a {} quota already, in line {}", in_quotes(quota.family),
                                       name_of(quota.tier), first->second));
  }
  return quotas;
}

}  // namespace

std::vector<Quota> read_quotas(std::string_view text, const std::string& file_name) {
  Mistakes mistakes(file_name);
  std::vector<Quota> quotas;
  try {
    const YamlNode root = parse_yaml(text);
    if (!root.is_list()) mistakes.add(root.mark, "quotas are a list with a mapping for each quota");
    quotas = read_rows_of(root, mistakes);
  } catch (const YamlError& error) {
    mistakes.add(error.mark(), error.what());
  }
  mistakes.throw_if_any();
  return quotas;
}

std::string quotas_as_yaml(const std::vector<Quota>& quotas) {
  std::string text;
  for (const Quota& each : quotas) {  // no family's name has a letter that means something to YAML
    text += fmt::format("- {{family: \"{}\", tier: {}, limit: {}}}\n", each.family, name_of(each.tier), each.limit);
  }
  return text.empty() ? "[]\n" : text;
}

std::optional<int> limit_of(const std::vector<Quota>& quotas, std::string_view family, Tier tier) {
  const auto found = std::find_if(quotas.begin(), quotas.end(),
                                  [&](const Quota& each) { return each.family == family && each.tier == tier; });
  return found == quotas.end() ? std::nullopt : std::optional(found->limit);
}

}  // namespace lockstep::spec
