#include "launcher/node/command_line.hpp"

#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.hpp"
#include "launcher/node/agent.hpp"
#include "launcher/node/probe.hpp"

namespace lockstep::node {

namespace {
std::int64_t number(std::string_view option, std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= 0) return value;
  throw bad_input("{} wants a number, not '{}'", option, text);
}

// --agent FOLDER STOP-GRACE-MS SAMPLING-INTERVAL-MS|0 PORT|0 mirror|shared
int agent(std::span<const char* const> words) {
  if (words.size() != 5) throw bad_input("--agent wants 5 words");
  AgentOptions options;
  options.folder = RunFolder(words[0]);
  options.stop_grace_ms = number("--agent", words[1]);
  if (const auto interval = number("--agent", words[2]); interval > 0) options.sampling_interval_ms = interval;
  options.port = static_cast<int>(number("--agent", words[3]));
  options.mirror = std::string_view(words[4]) == "mirror";
  return attend_node(options);
}

// --probe FOLDER [FILE-TO-SEE]
int probe(std::span<const char* const> words) {
  if (words.empty() || words.size() > 2) throw bad_input("--probe wants a folder, and may have a file");
  const std::string text = to_text(look_around(words[0], words.size() > 1 ? words[1] : ""));
  return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0 ? 0 : 1;
}
// --shielded PROGRAM [ARGUMENT...]: becomes the program, which TERM does not reach. A cluster that preempts sends TERM
// to everything on the node at once: Open MPI's daemon would take its ranks down while they save.
int shielded(std::span<const char* const> words) {
  if (words.empty()) throw bad_input("--shielded wants a program");
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &term, nullptr);
  std::vector<std::string> texts(words.begin(), words.end());
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (auto& each : texts) pointers.push_back(each.data());
  pointers.push_back(nullptr);
  ::execvp(pointers.front(), pointers.data());
  throw system_failure("cannot start " + texts.front());
}
}  // namespace

std::optional<int> run_command_line(std::span<const char* const> arguments) {
  const std::string_view first = arguments.empty() ? "" : arguments[0];
  try {
    if (first == "--agent") return agent(arguments.subspan(1));
    if (first == "--probe") return probe(arguments.subspan(1));
    if (first == "--shielded") return shielded(arguments.subspan(1));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lockstep-entrypoint: %s\n", error.what());
    return 1;
  }
  return std::nullopt;
}

}  // namespace lockstep::node
