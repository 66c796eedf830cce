#include "common/fault.hpp"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace lockstep {

namespace {
struct Fault {
  std::string name;
  int passes_left = 0;
};

Fault* planted() {
  static Fault* const fault = []() -> Fault* {
    const char* text = std::getenv("LOCKSTEP_FAULT");
    if (text == nullptr || *text == '\0') return nullptr;
    const std::string all(text);
    const auto colon = all.rfind(':');
    if (colon == std::string::npos) return new Fault{all, 1};
    return new Fault{all.substr(0, colon), static_cast<int>(std::strtol(all.c_str() + colon + 1, nullptr, 10))};
  }();
  return fault;
}
}  // namespace

void fault_point(const char* name) {
  Fault* const fault = planted();
  if (fault == nullptr || fault->name != name) return;
  if (--fault->passes_left == 0) ::kill(::getpid(), SIGKILL);
}

}  // namespace lockstep
