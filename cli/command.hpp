// One command of the parser: its words, its options, what it does. CLI11 stands behind this header and is compiled in
// few files only: it is large, and every build of the command would pay for it in each of them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace lockstep::cli {

// What each command of the parser does; gives the exit code.
using Actions = std::map<const CLI::App*, std::function<int()>>;

// An option that was added, for what only some need.
class AddedOption {
 public:
  explicit AddedOption(CLI::Option* option) : option_(option) {}
  AddedOption required() const;
  AddedOption one_of(const std::vector<std::string>& words) const;
  AddedOption excludes(AddedOption other) const;
  AddedOption checked_by(std::function<void(const std::string&)> check) const;  // throws Error for what is refused

 private:
  CLI::Option* option_;
};

class Command {
 public:
  Command(CLI::App& app, Actions& actions) : app_(&app), actions_(&actions) {}

  // A command below this one; each line of `examples` is shown under its --help.
  Command add(const std::string& name, const std::string& description, const std::string& examples) const;

  // `names` as "-n,--name,name" (the last without dashes is positional); `shown` is the value's name in the help. The
  // variable must live as long as the command's action: keep it in what the action captures.
  AddedOption option(const std::string& names, std::string& value, const std::string& shown,
                     const std::string& help) const;
  AddedOption option(const std::string& names, int& value, const std::string& shown, const std::string& help) const;
  AddedOption option(const std::string& names, std::optional<int>& value, const std::string& shown,
                     const std::string& help) const;
  AddedOption option(const std::string& names, std::vector<std::string>& values, const std::string& shown,
                     const std::string& help) const;
  AddedOption flag(const std::string& names, bool& value, const std::string& help) const;

  void does(std::function<int()> action) const;
  std::string help() const;  // its help page

  CLI::App& app() const { return *app_; }
  Actions& actions() const { return *actions_; }

 private:
  CLI::App* app_;
  Actions* actions_;
};

}  // namespace lockstep::cli
