// What may stand in a YAML text at all, before it is parsed.
#pragma once

#include <string_view>

namespace lockstep::spec {

// Throws YamlError at the first byte that is not UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing past
// U+10FFFF) or is a control character other than tab, line feed and carriage return.
void check_yaml_bytes(std::string_view text);

// Length of the UTF-8 sequence that starts `text`; 0 when it is none.
std::size_t utf8_length(std::string_view text);

}  // namespace lockstep::spec
