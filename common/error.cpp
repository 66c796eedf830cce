#include "common/error.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <tuple>

namespace lockstep {

Error system_failure(const std::string& what) {
  const int code = errno;
  return failure("{}: {}", what, std::strerror(code));
}

std::string Diagnostic::text() const {
  if (line == 0) return fmt::format("{}: {}", file, message);
  return fmt::format("{}:{}:{}: {}", file, line, column, message);
}

static std::vector<Diagnostic> by_place(std::vector<Diagnostic> all) {
  std::stable_sort(all.begin(), all.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.file, a.line, a.column) < std::tie(b.file, b.line, b.column);
  });
  return all;
}

static std::string one_per_line(const std::vector<Diagnostic>& all) {
  std::string text;
  for (const auto& each : all) text += (text.empty() ? "" : "\n") + each.text();
  return text;
}

InputErrors::InputErrors(std::vector<Diagnostic> all)
    : Error(ExitCode::bad_input, one_per_line(by_place(all))), all_(by_place(std::move(all))) {}

}  // namespace lockstep
