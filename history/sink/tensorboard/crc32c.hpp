// CRC-32C (Castagnoli; RFC 3720, B.4): the checksum of TensorBoard's records.
#pragma once

#include <cstdint>
#include <string_view>

namespace lockstep::history::tensorboard {

std::uint32_t crc32c(std::string_view bytes);

}  // namespace lockstep::history::tensorboard
