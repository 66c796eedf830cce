#include "common/process_file.hpp"

#include <limits>
#include <nlohmann/json.hpp>

#include "common/error.hpp"

namespace lockstep {

namespace {
constexpr std::uint64_t longest_file = 1 << 16;  // ours have less than 200 bytes; a foreign one is not worth reading

std::optional<std::uint64_t> positive(const nlohmann::json& object, const char* key, std::uint64_t largest) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned()) return std::nullopt;
  const auto value = found->get<std::uint64_t>();
  return value > 0 && value <= largest ? std::optional(value) : std::nullopt;
}
}  // namespace

void write_process_file(const fs::path& path, const ProcessId& process) {
  const nlohmann::json object{{"pid", process.pid}, {"start_time", process.start_time}};
  write_file_atomically(path, object.dump() + "\n");
}

std::optional<ProcessId> parse_process(std::string_view json_text) {
  const auto object = nlohmann::json::parse(json_text, nullptr, false);
  if (!object.is_object()) return std::nullopt;
  // Never 0 or a negative number: kill() gives those a meaning of their own. (1 is a program alone in a container.)
  const auto pid = positive(object, "pid", std::numeric_limits<pid_t>::max());
  const auto start_time = positive(object, "start_time", std::numeric_limits<std::uint64_t>::max());
  if (!pid || !start_time) return std::nullopt;
  return ProcessId{static_cast<pid_t>(*pid), *start_time};
}

std::optional<ProcessId> read_process_file(const fs::path& path) {
  try {
    const auto text = read_file_if_exists(path, longest_file);
    return text ? parse_process(*text) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;  // unreadable, a folder, too long
  }
}

}  // namespace lockstep
