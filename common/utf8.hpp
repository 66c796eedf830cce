// UTF-8: what is valid (no overlong forms, surrogates or code points above U+10FFFF), and lengths in characters.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lockstep {

bool is_valid_utf8(std::string_view text);
std::string replace_invalid_utf8(std::string_view text);                            // each bad byte becomes U+FFFD
std::size_t characters(std::string_view valid_utf8);                                // code points
std::string_view first_characters(std::string_view valid_utf8, std::size_t count);  // never cuts one in the middle

}  // namespace lockstep
