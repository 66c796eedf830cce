// The quotas of a workspace: .lockstep/quotas.yml.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/run_folder.hpp"
#include "launcher/spec/quotas.hpp"

namespace lockstep::compute {

std::vector<spec::Quota> quotas(
    const Workspace& workspace);  // none without a file; InputErrors for one that is damaged

// For whoever looks often: the file is read again only when it has other bytes than before.
class QuotaFile {
 public:
  explicit QuotaFile(const Workspace& workspace) : file_(workspace.quotas_file()) {}
  const std::vector<spec::Quota>& now();  // as quotas()

 private:
  fs::path file_;
  std::optional<std::string> text_;  // nullopt: there is no file, and so there are none
  std::vector<spec::Quota> quotas_;  // in it
};

void set_quota(const Workspace& workspace, const spec::Quota& quota);  // durable; makes the workspace
// Those of a family, in this tier or in both. not_found when there are none.
void remove_quotas(const Workspace& workspace, const std::string& family, std::optional<spec::Tier> tier);

}  // namespace lockstep::compute
