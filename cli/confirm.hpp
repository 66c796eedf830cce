// Asking before something is gone.
#pragma once

#include <string>

namespace lockstep::cli {

// Whether somebody at the terminal `fd` says yes to "<question> [y/N]", which stderr shows. Throws bad_input where
// nobody can be asked.
bool confirmed(const std::string& question, int fd);

}  // namespace lockstep::cli
