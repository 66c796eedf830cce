// Names for runs, as Azure ML makes them: brave_otter_k3x9m2pq.
#pragma once

#include <string>

namespace lockstep::history {

struct RunName {
  std::string run_id;        // adjective_noun_ and 8 letters or digits: unique without asking anybody
  std::string display_name;  // adjective_noun
};

RunName generate_run_name();

}  // namespace lockstep::history
