// Identifiers that are unique without asking anybody, and in the order in which they were made.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lockstep {

// UUID version 7 (RFC 9562, section 5.7) as 32 hexadecimal digits: 48 bits of Unix milliseconds, then 74 of the 80
// that `random` has as 20 hexadecimal digits. An index over such keys grows at its end; random keys would each write
// to a page of their own.
std::string ordered_uuid(std::int64_t unix_ms, std::string_view random);

std::string ordered_uuid();  // of now, from the system's generator

}  // namespace lockstep
