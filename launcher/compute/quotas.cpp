#include "launcher/compute/quotas.hpp"

#include <algorithm>

#include "common/error.hpp"

namespace lockstep::compute {

namespace {

constexpr std::uint64_t longest_file = std::uint64_t{1} << 20;

// Two commands at once: neither loses what the other has written.
template <class Change>
void change_quotas(const Workspace& workspace, const Change& change) {
  const FileLock lock = FileLock::take(workspace.quotas_lock());
  std::vector<spec::Quota> all = quotas(workspace);
  change(all);
  std::sort(all.begin(), all.end(), [](const spec::Quota& a, const spec::Quota& b) {
    return a.family != b.family ? a.family < b.family : a.tier < b.tier;
  });
  write_file_durably(workspace.quotas_file(), spec::quotas_as_yaml(all));
}

}  // namespace

std::vector<spec::Quota> quotas(const Workspace& workspace) { return QuotaFile(workspace).now(); }

const std::vector<spec::Quota>& QuotaFile::now() {
  auto text = read_file_if_exists(file_, longest_file);
  if (text == text_) return quotas_;
  quotas_ = text ? spec::read_quotas(*text, file_.string()) : std::vector<spec::Quota>();
  text_ = std::move(text);
  return quotas_;
}

void set_quota(const Workspace& workspace, const spec::Quota& quota) {
  workspace.create();
  change_quotas(workspace, [&](std::vector<spec::Quota>& all) {
    std::erase_if(all, [&](const spec::Quota& each) { return each.family == quota.family && each.tier == quota.tier; });
    all.push_back(quota);
  });
}

void remove_quotas(const Workspace& workspace, const std::string& family, std::optional<spec::Tier> tier) {
  const auto is_meant = [&](const spec::Quota& each) { return each.family == family && (!tier || each.tier == *tier); };
  const auto none = [&] {
    return not_found("there is no {}{}quota of the family '{}'", tier ? spec::name_of(*tier) : "", tier ? " " : "",
                     family);
  };
  if (!fs::exists(workspace.quotas_file())) throw none();
  change_quotas(workspace, [&](std::vector<spec::Quota>& all) {
    if (std::erase_if(all, is_meant) == 0) throw none();
  });
}

}  // namespace lockstep::compute
