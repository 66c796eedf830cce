// Slurm's short form of host names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

// "n[1-3,07],login" is n1, n2, n3, n07, login. bad_input for what is malformed or more than `most` names.
std::vector<std::string> expand_host_list(std::string_view text, std::size_t most = 65536);

}  // namespace lockstep
