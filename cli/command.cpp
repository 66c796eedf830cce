#include "cli/command.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/parser.hpp"

namespace lockstep::cli {

AddedOption AddedOption::required() const {
  option_->required();
  return *this;
}

AddedOption AddedOption::one_of(const std::vector<std::string>& words) const {
  option_->check(CLI::IsMember(words));
  return *this;
}

AddedOption AddedOption::excludes(AddedOption other) const {
  option_->excludes(other.option_);
  return *this;
}

Command Command::add(const std::string& name, const std::string& description, const std::string& examples) const {
  CLI::App& command = *app_->add_subcommand(name, description);
  std::string footer = "Examples:";
  for (std::size_t begin = 0; begin < examples.size();) {
    const std::size_t end = std::min(examples.find('\n', begin), examples.size());
    footer.append("\n  ").append(examples, begin, end - begin);
    begin = end + 1;
  }
  command.footer(footer);
  return {command, *actions_};
}

AddedOption AddedOption::checked_by(std::function<void(const std::string&)> check) const {
  option_->check([check = std::move(check)](const std::string& value) {
    check(value);
    return std::string();
  });
  return *this;
}

template <class Value>
static AddedOption add_option(CLI::App& app, const std::string& names, Value& value, const std::string& shown,
                              const std::string& help) {
  return AddedOption(app.add_option(names, value, help)->option_text(shown));
}

AddedOption Command::option(const std::string& names, std::string& value, const std::string& shown,
                            const std::string& help) const {
  return add_option(*app_, names, value, shown, help);
}

AddedOption Command::option(const std::string& names, int& value, const std::string& shown,
                            const std::string& help) const {
  return add_option(*app_, names, value, shown, help);
}

AddedOption Command::option(const std::string& names, std::optional<int>& value, const std::string& shown,
                            const std::string& help) const {
  return add_option(*app_, names, value, shown, help);
}

AddedOption Command::option(const std::string& names, std::vector<std::string>& values, const std::string& shown,
                            const std::string& help) const {
  return add_option(*app_, names, values, shown, help);
}

AddedOption Command::flag(const std::string& names, bool& value, const std::string& help) const {
  return AddedOption(app_->add_flag(names, value, help));
}

void Command::does(std::function<int()> action) const { (*actions_)[app_] = std::move(action); }

std::string Command::help() const { return help_of(*app_); }

}  // namespace lockstep::cli
