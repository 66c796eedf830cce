// Text of a file inside a message: one line, short, and never a byte that a terminal acts on.
#pragma once

#include <string>
#include <string_view>

namespace lockstep::spec {

std::string printable(std::string_view text);  // control characters and invalid UTF-8 as \n, \t, \xNN
std::string shortened(std::string_view text);  // printable, cut after 60 bytes
std::string in_quotes(std::string_view text);  // 'shortened'

}  // namespace lockstep::spec
