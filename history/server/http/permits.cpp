#include "history/server/http/permits.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>

namespace lockstep::history::server::http {

static constexpr std::chrono::seconds remembered_for(1);
static constexpr std::size_t most_known = 10'000;

std::optional<Permit> Permits::known(const std::string& token) {
  const auto found = known_.find(token);
  if (found == known_.end()) return std::nullopt;
  if (Clock::now() < found->second.until) return found->second.permit;
  known_.erase(found);
  return std::nullopt;
}

void Permits::remember(const std::string& token, const Permit& permit) {
  if (known_.size() >= most_known) known_.clear();
  known_.insert_or_assign(token, Known{permit, Clock::now() + remembered_for});
}

std::string bearer_of(std::string_view authorization) {
  constexpr std::string_view scheme = "bearer ";
  if (!boost::beast::iequals(authorization.substr(0, scheme.size()), scheme)) return {};
  authorization.remove_prefix(scheme.size());
  return std::string(authorization.substr(std::min(authorization.find_first_not_of(' '), authorization.size())));
}

}  // namespace lockstep::history::server::http
