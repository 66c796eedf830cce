#include "tests/ptx/interpreter/operands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "tests/gpu_emulation/engine/engine.hpp"

namespace lockstep::ptx {

using emulation::KernelError;

static std::size_t rounded_up(std::size_t value, std::size_t to) { return (value + to - 1) / to * to; }

std::vector<std::string> parts_of_list(std::string_view text) {
  if (!text.starts_with('{')) return {std::string(text)};
  std::vector<std::string> parts(1);
  for (const char c : text.substr(1, text.size() - 2)) {
    if (c == ',') {
      parts.emplace_back();
    } else if (c != ' ') {
      parts.back() += c;
    }
  }
  return parts;
}

Operands::Operands(Program& program) : program_(program) {
  for (const char* name : special_names) registers_[name] = new_register(File::narrow);
  place_memory();
}

// Shared memory of the file lies in a kernel only where the kernel names it; dynamic shared memory comes last.
void Operands::place_memory() {
  const KernelText& text = program_.text;
  const auto place = [this](const Variable& each, Space space, std::size_t& end) {
    end = rounded_up(end, each.alignment);
    symbols_[each.name] = {space, end};
    end += each.bytes;
  };
  for (const Variable& each : text.parameters) {
    place(each, Space::parameter, program_.parameter_bytes);
    program_.parameters.push_back({program_.parameter_bytes - each.bytes, each.bytes});
  }
  for (const Variable& each : text.local) place(each, Space::local, program_.local_bytes);
  for (const bool dynamic : {false, true}) {
    for (const Variable& each : text.shared) {
      if ((each.bytes == 0) == dynamic && is_used(each.name)) place(each, Space::shared, program_.shared_bytes);
    }
  }
}

bool Operands::is_used(const std::string& name) const {
  return std::ranges::any_of(program_.text.statements, [&](const Statement& statement) {
    return std::ranges::any_of(statement.operands,
                               [&](const auto& each) { return each.find(name) != std::string::npos; });
  });
}

Place Operands::new_register(File file) {
  Registers& all = program_.registers;
  std::size_t at = 0;
  switch (file) {
    case File::narrow:
      at = all.narrow.size();
      all.narrow.emplace_back();
      break;
    case File::wide:
      at = all.wide.size();
      all.wide.emplace_back();
      break;
    case File::predicate:
      at = all.predicates.size();
      all.predicates.emplace_back();
      break;
  }
  if (at >= no_register) throw KernelError("more registers than there are numbers for");
  return {file, static_cast<std::uint16_t>(at)};
}

bool Operands::is_register(std::string_view text) const {
  return text.starts_with('%') || program_.text.registers.contains(text);
}

Place Operands::find_register(std::string_view text) {
  if (const auto known = registers_.find(text); known != registers_.end()) return known->second;
  const auto& declared = program_.text.registers;
  auto type = declared.find(text);
  if (type == declared.end()) {  // %r<16> declares %r0 to %r15
    const auto digits = text.find_last_not_of("0123456789");
    type = declared.find(text.substr(0, digits + 1));
  }
  if (type == declared.end()) throw KernelError(fmt::format("no register {} is declared", text));
  const File file = type->second == "pred" ? File::predicate : type->second.ends_with("64") ? File::wide : File::narrow;
  return registers_[std::string(text)] = new_register(file);
}

// 12, -1, 0x7F, 0f3F800000, 0d3FF0000000000000, or the place of named memory in its space.
std::uint64_t Operands::value_of(std::string_view text) const {
  if (const auto symbol = symbols_.find(text); symbol != symbols_.end()) return symbol->second.offset;
  if (text == "WARP_SZ") return lanes;
  std::string_view digits = text;
  const bool negative = digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  int base = 10;
  if (digits.size() > 2 && digits[0] == '0' && std::string_view("xXfFdD").find(digits[1]) != std::string_view::npos) {
    base = 16;
    digits.remove_prefix(2);
  }
  if (digits.ends_with('U')) digits.remove_suffix(1);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.empty()) {
    throw KernelError(fmt::format("neither a register nor a number nor a name: {}", text));
  }
  return negative ? 0 - value : value;
}

Place Operands::find(std::string_view text, File wanted) {
  if (is_register(text)) return find_register(text);
  const std::uint64_t value = value_of(text);
  const auto [known, is_new] = constants_.try_emplace({value, wanted});
  if (!is_new) return known->second;
  const Place made = known->second = new_register(wanted);
  Registers& all = program_.registers;
  if (wanted == File::narrow) all.narrow[made.at].fill(static_cast<std::uint32_t>(value));
  if (wanted == File::wide) all.wide[made.at].fill(value);
  if (wanted == File::predicate) all.predicates[made.at] = value != 0 ? all_lanes : 0;
  return made;
}

std::uint16_t Operands::in(std::string_view text, File wanted) {
  const Place place = find(text, wanted);
  if (place.file != wanted) throw KernelError(fmt::format("{} has another width than the instruction", text));
  return place.at;
}

void Operands::read_address(std::string_view text, Access& access) {
  if (!text.starts_with('[') || !text.ends_with(']')) throw KernelError(fmt::format("no address: {}", text));
  text = text.substr(1, text.size() - 2);
  const auto plus = text.find('+');
  const std::string_view base = text.substr(0, plus);
  if (plus != std::string_view::npos) access.offset = static_cast<std::int64_t>(value_of(text.substr(plus + 1)));
  if (is_register(base)) {
    const Place place = find_register(base);
    access.has_base = true;
    access.base_file = place.file;
    access.base = place.at;
    return;
  }
  access.offset += static_cast<std::int64_t>(value_of(base));
}

}  // namespace lockstep::ptx
