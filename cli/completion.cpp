#include "cli/completion.hpp"

#include <algorithm>

#include "cli/compute_sizes.hpp"

namespace lockstep::cli {

static const CLI::Option* option_named(const CLI::App& command, const std::string& word) {
  const auto options = command.get_options();
  const auto found = std::find_if(options.begin(), options.end(), [&](const CLI::Option* each) {
    return word.starts_with('-') && !each->get_positional() && each->check_name(word);
  });
  if (found != options.end()) return *found;
  const auto named = std::find_if(options.begin(), options.end(), [&](const CLI::Option* each) {
    return word.starts_with('-') && each->check_name(word);
  });
  return named == options.end() ? nullptr : *named;
}

static bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

static bool has_positional(const CLI::App& command, const std::string& name) {
  const auto options = command.get_options();
  return std::any_of(options.begin(), options.end(), [&](const CLI::Option* each) {
    return each->get_positional() && each->get_name(true, false) == name;
  });
}

static bool is_under(const CLI::App& command, const std::string& noun) {
  return command.get_parent() != nullptr && command.get_parent()->get_name() == noun;
}

// The names that a value of this kind can be.
static std::vector<std::string> names_for(const CLI::App& command, const KnownNames& known) {
  if (is_under(command, "experiment")) return known.experiments();
  if (command.get_name() == "list-sizes") return size_names();
  const std::string& verb = command.get_name();
  if (verb == "run" || verb == "create" || verb == "attach") return {};  // they make a name
  return is_under(command, "compute") && verb != "preempt" ? known.computes() : known.runs();
}

static std::vector<std::string> types_for(const CLI::App& command) {
  if (command.get_name() == "list-sizes") return {"cpu", "gpu", "fpga"};
  if (command.get_name() == "attach") return {"virtualmachine"};
  return {"amlcompute", "virtualmachine", "computeinstance"};
}

static std::vector<std::string> values_of(const CLI::App& command, const CLI::Option& option, const KnownNames& known) {
  if (option.check_name("--name")) return names_for(command, known);
  if (option.check_name("--experiment-name")) return known.experiments();
  if (option.check_name("--parent-job-name")) return known.runs();
  if (option.check_name("--type")) return types_for(command);
  if (option.check_name("--size")) return size_names();
  if (option.check_name("--tier")) return {"dedicated", "low_priority"};
  if (option.check_name("--family")) return size_families();
  if (option.check_name("--by")) return {"family", "compute", "run"};
  if (!option.check_name("--output")) return {};
  if (command.get_name() == "run") return {"text", "json", "yaml"};
  return {"table", "json", "yaml", "tsv", "none"};
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

static std::vector<std::string> words_of(const CLI::App& command, const KnownNames& known) {
  std::vector<std::string> words;
  for (const CLI::App* each : command.get_subcommands([](const CLI::App*) { return true; })) {
    words.push_back(each->get_name());
  }
  if (words.empty() && has_positional(command, "name")) return names_for(command, known);
  if (words.empty() && has_positional(command, "family")) return size_families();
  if (words.empty() && has_positional(command, "compute")) return known.computes();
  if (command.get_name() == "completion") return {"bash", "zsh", "fish"};
  return words;
}

std::vector<std::string> completions(const CLI::App& root, std::span<const std::string> words,
                                     const KnownNames& known) {
  if (words.empty()) return {};
  const CLI::App* command = &root;
  const CLI::Option* waiting = nullptr;  // an option whose value comes next
  for (const std::string& word : words.first(words.size() - 1)) {
    if (waiting != nullptr) {
      waiting = nullptr;
    } else if (word.starts_with('-')) {
      const CLI::Option* option = option_named(*command, word);
      if (option != nullptr && takes_value(*option)) waiting = option;
    } else {
      const auto children = command->get_subcommands([&](const CLI::App* app) { return app->get_name() == word; });
      if (!children.empty()) command = children.front();
    }
  }
  const std::string& begun = words.back();
  std::vector<std::string> all = waiting != nullptr       ? values_of(*command, *waiting, known)
                                 : begun.starts_with('-') ? option_names(*command)
                                                          : words_of(*command, known);
  std::erase_if(all, [&](const std::string& each) { return !each.starts_with(begun); });
  return all;
}

std::string completion_script(const std::string& shell) {
  if (shell == "bash") {
    return R"(# lockstep's completion for bash. Put this into ~/.bashrc:  source <(lockstep completion bash)
_lockstep() {
  local IFS=$'\n'
  COMPREPLY=($(lockstep __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _lockstep lockstep
)";
  }
  if (shell == "zsh") {
    return R"(#compdef lockstep
# lockstep's completion for zsh. Put this into ~/.zshrc:  source <(lockstep completion zsh)
_lockstep() {
  local -a found
  found=("${(@f)$(lockstep __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "${found[1]}" ]]; then compadd -a found; else _files; fi
}
compdef _lockstep lockstep
)";
  }
  return R"(# lockstep's completion for fish. Put it there:  lockstep completion fish > ~/.config/fish/completions/lockstep.fish
function __lockstep_complete
  set -l words (commandline -opc) (commandline -ct)
  lockstep __complete -- $words[2..-1] 2>/dev/null
end
complete -c lockstep -a '(__lockstep_complete)'
)";
}

}  // namespace lockstep::cli
