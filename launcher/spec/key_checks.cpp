#include "launcher/spec/key_checks.hpp"

#include <algorithm>
#include <cctype>

#include "launcher/spec/scalar.hpp"

namespace lockstep::spec {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_of(std::string_view text, std::string_view marks) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_letter(c) || is_digit(c) || marks.find(c) != std::string_view::npos; });
}

}  // namespace

std::string_view check_job_name(std::string_view text) {
  const bool starts_well = !text.empty() && (is_letter(text[0]) || is_digit(text[0]));
  const bool goes_on_well =
      std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-'; });
  return starts_well && goes_on_well && text.size() <= 255
             ? ""
             : "1 to 255 letters, digits, '_' and '-', of which the first is a letter or a digit";
}

std::string_view check_identifier(std::string_view text) {
  const bool starts_well = !text.empty() && (is_letter(text[0]) || text[0] == '_');
  const bool goes_on_well =
      std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
  return starts_well && goes_on_well && text.size() <= 255
             ? ""
             : "1 to 255 letters, digits and '_', of which the first is no digit";
}

// Narrower than POSIX, which forbids only '=', so that a reference to a secret variable can always be written.
std::string_view check_variable_name(std::string_view text) {
  const bool good = std::all_of(text.begin(), text.end(),
                                [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.'; });
  const bool empty_part =
      text.empty() || text.front() == '.' || text.back() == '.' || text.find("..") != std::string_view::npos;
  return good && !empty_part && text.size() <= 255 ? "" : "1 to 255 letters, digits, '_', '-' and single '.' inside";
}

std::string_view check_compute(std::string_view text) {
  constexpr std::string_view prefix = "azureml:";
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  const bool arm_id = text.starts_with("/subscriptions/");
  const bool good = std::all_of(text.begin(), text.end(), [&](char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '-' || (arm_id && (c == '/' || c == '.'));
  });
  return good && !text.empty() && text.size() <= 1024
             ? ""
             : "local, or the name of a compute (letters, digits, '_' and '-'), with or without azureml: before it";
}

std::string_view check_compute_name(std::string_view text) {
  if (equal_ignoring_case(text, "local")) return "another name: local is this machine, which needs no definition";
  const bool good = text.size() >= 2 && text.size() <= 32 && is_letter(text[0]) && text.back() != '-';
  return good && is_of(text, "-")
             ? ""
             : "2 to 32 letters, digits and '-', of which the first is a letter and the last no '-'";
}

std::string_view check_host(std::string_view text) {
  const bool good = !text.empty() && text.size() <= 255 && text[0] != '-' && text[0] != '.';
  return good && is_of(text, ".-_:") ? ""
                                     : "a host's name or address: letters, digits, '.', '-', '_' and ':', of which the "
                                       "first is no '-' or '.'";
}

std::string_view check_user_name(std::string_view text) {
  const bool good = !text.empty() && text.size() <= 64 && text[0] != '-';
  return good && is_of(text, ".-_") ? "" : "1 to 64 letters, digits, '.', '-' and '_', of which the first is no '-'";
}

std::string_view check_command(std::string_view text) {
  const bool is_good = !text.empty() && text.size() <= 8192 && text.find('\0') == std::string_view::npos;
  return is_good ? "" : "a command for sh, of at most 8192 characters";
}

std::string_view check_any_name(std::string_view text) {
  return !text.empty() && text.size() <= 255 ? "" : "a name of 1 to 255 bytes";
}

std::string_view check_short_line(std::string_view text) {
  const bool one_line = std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  return one_line && text.size() <= 255 ? "" : "one line of at most 255 bytes";
}

std::string_view check_memory_size(std::string_view text) {
  constexpr std::string_view expected = "a number above 0 and a unit b, k, m or g, as in 2g";
  if (text.size() < 2 || text.size() > 19 || text[0] < '1' || text[0] > '9') return expected;
  const bool digits = std::all_of(text.begin(), text.end() - 1, is_digit);
  const bool unit = std::string_view("bkmgBKMG").find(text.back()) != std::string_view::npos;
  return digits && unit ? "" : expected;
}

}  // namespace lockstep::spec
