#include "launcher/hosts/agents.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/process.hpp"
#include "launcher/entrypoint/entrypoint.hpp"
#include "launcher/hosts/reach.hpp"
#include "launcher/hosts/ssh.hpp"
#include "launcher/node/agent.hpp"
#include "launcher/node/streams.hpp"
#include "launcher/plan/remote.hpp"

namespace lockstep::hosts {

struct Agents::Agent {
  spec::Host host;
  ProcessId ssh;
  Fd to;
  Fd from;
  Fd errors;
  std::string said;  // on standard error, the last of it
  node::FrameReader reader{true};
  Receiver receiver;
  std::optional<node::Passage> passage;  // to the tracking endpoint
  std::string waiting;                   // to be written
  std::int64_t heard_ms = monotonic_ms();
  bool there = false;
  bool done = false;
  bool lost = false;

  Agent(spec::Host of, const RunFolder& folder, int node, Owners& owners)
      : host(std::move(of)), receiver(folder, node, owners) {}
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  ~Agent() {
    to.reset();
    if (ssh.pid <= 0) return;
    ::kill(ssh.pid, SIGKILL);
    while (::waitpid(ssh.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
};

namespace {
constexpr std::size_t said_kept = 4096;
constexpr std::size_t most_waiting = std::size_t{16} << 20;  // beyond it a node's clients get no more for now
constexpr int reads_in_a_row = 64;                           // of 64 KiB: then others have their turn

void never_wait(const Fd& fd) { ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK); }

std::vector<std::string> agent_argv(const plan::Plan& plan, const spec::Host& host, const AgentSettings& settings) {
  return reach(
      plan::remote_of(plan), host,
      {plan::remote_of(plan).compute.node_program.string(), "--agent", plan::remote_of(plan).folder.root().string(),
       std::to_string(settings.stop_grace_ms), std::to_string(settings.sampling_interval_ms),
       std::to_string(settings.tunnel), plan::sends_files(plan) ? "mirror" : "shared"});
}

}  // namespace

Agents::Agents(const plan::Plan& plan, const AgentSettings& settings) : folder_(plan.folder) {
  Environment environment = environment_of(plan::remote_of(plan));
  entrypoint::drop_rank_environment(environment);  // no sweep of a run must take our ssh for a process of it
  by_ssh_ = plan::remote_of(plan).compute.hosts.has_value();
  int node = 0;
  for (const auto& host : plan::remote_of(plan).hosts) {
    auto agent = std::make_unique<Agent>(host, plan.folder, node++, owners_);
    auto [input_read, input_write] = make_pipe();
    auto [output_read, output_write] = make_pipe();
    auto [errors_read, errors_write] = make_pipe();
    agent->ssh = start_program({.argv = agent_argv(plan, host, settings),
                                .environment = environment,
                                .working_folder = {},
                                .stdin_fd = input_read.get(),
                                .stdout_fd = output_write.get(),
                                .stderr_fd = errors_write.get(),
                                .new_session = true});
    agent->to = std::move(input_write);
    agent->from = std::move(output_read);
    agent->errors = std::move(errors_read);
    for (const Fd* each : {&agent->to, &agent->from, &agent->errors}) never_wait(*each);
    if (settings.port > 0) {
      Agent* const its = agent.get();
      agent->passage.emplace(settings.port, [this, its](const node::Frame& frame) { tell(*its, frame); });
    }
    agents_.push_back(std::move(agent));
  }
}

Agents::~Agents() = default;

void Agents::add_to(std::vector<pollfd>& waiting) const {
  for (const auto& each : agents_) {
    if (each->from) waiting.push_back({each->from.get(), POLLIN, 0});
    if (each->errors) waiting.push_back({each->errors.get(), POLLIN, 0});
    if (each->to && !each->waiting.empty()) waiting.push_back({each->to.get(), POLLOUT, 0});
    if (each->passage && !each->lost && each->waiting.size() < most_waiting) each->passage->add_to(waiting);
  }
}

void Agents::hear() {
  const std::int64_t now = monotonic_ms();
  for (const auto& each : agents_) {
    if (!each->lost) take(*each);
    if (!each->lost && each->passage && each->waiting.size() < most_waiting) each->passage->look();
    if (!each->lost) flush(*each);
    if (each->lost || each->done) continue;
    if (now - each->heard_ms > node::silence_limit_ms) {
      lose(*each, fmt::format("no word from it for {}", duration_text(node::silence_limit_ms)));
    }
  }
  if (now < next_heartbeat_ms_) return;
  next_heartbeat_ms_ = now + node::heartbeat_ms;
  tell_all("alive");
}

void Agents::take(Agent& agent) {
  std::array<char, 1 << 16> buffer{};
  while (agent.errors) {
    const ssize_t got = ::read(agent.errors.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) break;
    if (got <= 0) agent.errors.reset();
    if (got > 0) agent.said.append(buffer.data(), static_cast<std::size_t>(got));
    if (agent.said.size() > said_kept) agent.said.erase(0, agent.said.size() - said_kept);
  }
  for (int reads = 0; agent.from && reads < reads_in_a_row; ++reads) {
    const ssize_t got = ::read(agent.from.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      agent.from.reset();
      if (!agent.done) lose(agent, "the connection to it ended");
      return;
    }
    agent.heard_ms = monotonic_ms();
    try {
      agent.reader.add({buffer.data(), static_cast<std::size_t>(got)});
      node::Frame frame;
      while (agent.reader.next(frame)) understand(agent, frame);
    } catch (const std::exception& error) {
      return lose(agent, error.what(), "was left");
    }
  }
}

void Agents::understand(Agent& agent, const node::Frame& frame) {
  const std::string word = frame.word();
  if (word == "hello") {
    const std::string problem = frame.head.value("problem", "");
    if (!problem.empty()) throw failure("{}", problem);
    agent.there = true;
  }
  const bool is_of_stream = word == "open" || word == "data" || word == "close";
  if (is_of_stream && agent.passage) return agent.passage->take(frame);
  if (word == "done") {
    agent.done = true;
    if (!frame.head.value("clean", false)) unclean_.push_back(agent.host.name);
    if (frame.head.value("disk_full", false)) full_disks_.push_back(agent.host.name);
  }
  if (word == "ended") {
    processes::RankEnd end{frame.head.value("rank", 0), std::nullopt, std::nullopt, now_ms(),
                           frame.head.value("unwatched", false)};
    if (frame.head.contains("exit_code")) end.exit_code = frame.head["exit_code"].get<int>();
    if (frame.head.contains("signal")) end.signal = frame.head["signal"].get<int>();
    ends_.push_back(end);
  }
  if (word == "metrics" && frame.head.contains("values") && frame.head["values"].is_object()) {
    for (const auto& [key, value] : frame.head["values"].items()) {
      if (!value.is_number()) continue;
      history::Metric sample;
      sample.key = fmt::format("system/{}/{}", agent.host.name, key.substr(key.find('/') + 1));
      sample.value = value.get<double>();
      sample.timestamp_ms = frame.head.value("time_ms", now_ms());
      sample.step = frame.head.value("step", std::int64_t{0});
      samples_.push_back(std::move(sample));
    }
  }
  agent.receiver.take(frame);
}

void Agents::lose(Agent& agent, const std::string& how, const char* verb) {
  agent.lost = true;
  agent.from.reset();
  agent.to.reset();
  agent.errors.reset();
  if (loss_) return;
  // ssh gives a moment's notice on its standard error when it is the one that failed.
  Result result;
  result.errors = agent.said;
  if (by_ssh_ && !agent.reader.greeted() && !agent.said.empty()) {
    loss_ = ssh_trouble(agent.host, result);
  } else {
    const std::string said = last_line(agent.said);
    loss_ = fmt::format("{} {}: {}{}", agent.host.name, verb, how, said.empty() ? "" : " (" + said + ")");
  }
}

bool Agents::all_there() const {
  return std::all_of(agents_.begin(), agents_.end(), [](const auto& each) { return each->there; });
}

bool Agents::all_done() const {
  return std::all_of(agents_.begin(), agents_.end(), [](const auto& each) { return each->done || each->lost; });
}

void Agents::tell(Agent& agent, const node::Frame& frame) {
  if (!agent.to || agent.lost) return;
  agent.waiting += node::encode(frame);
  flush(agent);
}

// What a pipe does not take now waits. If it never does, nothing gets through: its silence will tell.
void Agents::flush(Agent& agent) {
  while (agent.to && !agent.waiting.empty()) {
    const ssize_t put = ::write(agent.to.get(), agent.waiting.data(), agent.waiting.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EAGAIN) return;
    if (put < 0) {
      agent.to.reset();
      if (!agent.done) lose(agent, "the connection to it ended");
      return;
    }
    agent.waiting.erase(0, static_cast<std::size_t>(put));
  }
}

void Agents::tell_all(const char* word) {
  for (const auto& each : agents_) tell(*each, {{{"word", word}}});
}

void Agents::stop_ranks() { tell_all("stop"); }
void Agents::let_ranks_begin() { tell_all("begin"); }
void Agents::finish() { tell_all("finish"); }

void Agents::dismiss() {
  constexpr std::int64_t time_to_leave_ms = 5'000;
  const Fd folder(::open(folder_.root().c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY));
  if (folder) ::syncfs(folder.get());  // before the nodes remove what they have
  tell_all("bye");
  const std::int64_t deadline = monotonic_ms() + time_to_leave_ms;
  for (const auto& each : agents_) {
    if (each->lost) continue;
    pollfd waiting{each->from.get(), POLLIN, 0};
    std::array<char, 1 << 12> ignored{};
    while (each->from && monotonic_ms() < deadline) {
      if (::poll(&waiting, 1, 100) > 0 && ::read(each->from.get(), ignored.data(), ignored.size()) == 0) break;
    }
  }
}

}  // namespace lockstep::hosts
