// Azure's notices that this machine will be taken away, rebooted or moved:
// https://learn.microsoft.com/azure/virtual-machines/linux/scheduled-events
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/process.hpp"

namespace lockstep::entrypoint {

struct Notice {
  std::string id;
  std::string type;        // Preempt, Reboot, Redeploy, Terminate
  std::string not_before;  // RFC 1123; "" when it is under way
};

// Those of the document that end what runs on the machine. The document is about all machines of a scale set: a notice
// that names machines, and not `machine`, is others'; with machine "" all count. Throws failure for what is no such
// document.
std::vector<Notice> notices_in(std::string_view document, const std::string& machine);

// Where the metadata service is. http only, as it is.
struct MetadataService {
  std::string host = "169.254.169.254";
  std::string port = "80";
};
// $LOCKSTEP_METADATA_SERVICE, "host:port"; Azure's own where Azure's variables are set; nullopt elsewhere.
std::optional<MetadataService> metadata_service(const Environment& environment);

// The body of a 200 within two seconds; nullopt for anything else.
std::optional<std::string> ask(const MetadataService& service, const std::string& path);

// Looks whenever it is asked to, and tells of each notice once.
class ScheduledEvents {
 public:
  explicit ScheduledEvents(MetadataService service) : service_(std::move(service)) {}
  std::vector<Notice> new_notices();  // waits for the service, two seconds at most

 private:
  MetadataService service_;
  std::optional<std::string> machine_;  // its name, once it was told
  std::set<std::string> known_;
};

}  // namespace lockstep::entrypoint
