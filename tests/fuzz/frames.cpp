// Any bytes as what a node's agent says: frames are refused, or are read back from what they are written as.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "common/error.hpp"
#include "launcher/node/frames.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lockstep::node;
  const bool greeted = size > 0 && data[0] % 2 == 0;
  FrameReader reader(greeted);
  const std::string bytes(data + (size > 0 ? 1 : 0), data + size);
  reader.add(std::string_view(bytes).substr(0, bytes.size() / 2));
  reader.add(std::string_view(bytes).substr(bytes.size() / 2));
  try {
    Frame frame;
    while (reader.next(frame)) {
      if (frame.word() != frame.head["word"].get<std::string>()) std::abort();
      FrameReader again;
      again.add(encode(frame));
      Frame same;
      if (!again.next(same) || same.body != frame.body || again.next(same)) std::abort();
    }
  } catch (const lockstep::Error&) {
    return 0;
  }
  return 0;
}
