#include "launcher/entrypoint/say.hpp"

#include <unistd.h>

#include <string>

namespace lockstep::entrypoint {

void say(std::string_view text) {
  const std::string line = "lockstep: " + std::string(text) + "\n";
  [[maybe_unused]] const ssize_t put = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace lockstep::entrypoint
