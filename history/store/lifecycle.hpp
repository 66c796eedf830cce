// The refusal to write to what is archived. The sentence is MLflow's, whose word for it is "deleted".
#pragma once

#include <string>
#include <string_view>

#include "common/error.hpp"

namespace lockstep::history {

inline Error not_active(std::string_view what, const std::string& id) {
  return bad_input("The {} {} must be in the 'active' state. Current state is deleted.", what, id);
}

}  // namespace lockstep::history
