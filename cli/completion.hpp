// Tab completion: the shells ask `lockstep __complete -- WORD...` and show what it prints.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace lockstep::cli {

// The word by which the scripts below ask. It is no command of the parser: what follows it is somebody else's line.
inline constexpr const char* complete_command = "__complete";

// Names in the workspace, asked for only where they can stand.
struct KnownNames {
  std::function<std::vector<std::string>()> runs;
  std::function<std::vector<std::string>()> experiments;
  std::function<std::vector<std::string>()> computes;
};

// What can stand for the last of `words` (those after "lockstep"; the last may be empty or begun). Empty also where a
// file name can stand: shells know these better.
std::vector<std::string> completions(const CLI::App& root, std::span<const std::string> words, const KnownNames& known);

// Prints them for the command line of this process, with the names of its workspace; gives the exit code.
int print_completions(const CLI::App& root, std::vector<std::string> words);

std::vector<std::string> option_names(const CLI::App& command);  // "--name" of each, its parents' not

std::string completion_script(const std::string& shell);  // "bash", "zsh" or "fish"

}  // namespace lockstep::cli
