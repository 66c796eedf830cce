#include "cli/confirm.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "common/error.hpp"
#include "launcher/spec/scalar.hpp"

namespace lockstep::cli {

// A terminal gives whole lines; what is typed ahead of the question belongs to nobody.
static std::string line_from(int fd) {
  std::string line;
  char c = 0;
  while (true) {
    const ssize_t got = ::read(fd, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || c == '\n') return line;
    line += c;
  }
}

bool confirmed(const std::string& question, int fd) {
  if (::isatty(fd) != 1) throw bad_input("{} There is no terminal to ask at: say --yes", question);
  fmt::print(stderr, "{} [y/N] ", question);
  std::fflush(stderr);
  const std::string answer = spec::lower_case(line_from(fd));
  return answer == "y" || answer == "yes";
}

}  // namespace lockstep::cli
