#include "launcher/hosts/preflight.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cstdlib>

#include "common/clock.hpp"
#include "common/digest.hpp"
#include "common/error.hpp"
#include "launcher/hosts/network.hpp"
#include "launcher/hosts/reach.hpp"
#include "launcher/hosts/ssh.hpp"
#include "launcher/hosts/usual_speed.hpp"
#include "launcher/spec/vm_sizes.hpp"

namespace lockstep::hosts {

namespace {
constexpr std::chrono::seconds time_to_answer(20);
constexpr std::chrono::minutes time_to_copy(5);
constexpr int not_there = 44;  // what the script below says when our programs are not there yet
constexpr int not_ours = 45;   // and when somebody else made their folder, who could put others in their place
constexpr int ssh_failed = 255;
constexpr std::int64_t gib = std::int64_t{1} << 30;
constexpr std::int64_t least_disk = gib;
constexpr std::int64_t least_memory = gib / 4;
constexpr std::int64_t most_clock_difference_ms = 30'000;
constexpr const char* entrypoint = "lockstep-entrypoint";

// What nodes run of ours: without the first nothing, and without the others not what they are for.
std::vector<std::string> those_there(const fs::path& folder) {
  std::vector<std::string> names{entrypoint, "lockstep-train", std::string(network_check_program)};
  std::erase_if(names, [&](const std::string& each) { return ::access((folder / each).c_str(), X_OK) != 0; });
  return names;
}

// `sh -c` with words of its own: nothing of a path or a name is part of the script.
std::vector<std::string> script(const std::string& text, const std::vector<std::string>& words) {
  std::vector<std::string> argv{"sh", "-c", text, "sh"};
  argv.insert(argv.end(), words.begin(), words.end());
  return argv;
}

Command probe_command(const plan::RemotePart& remote, const spec::Host& host, const NodePrograms& programs,
                      const Needs& needs) {
  const auto words = script(
      fmt::format(
          R"(umask 077; mkdir -p "$2" && test -O "$2" || exit {}; test -x "$1" || exit {}; exec "$1" --probe "$2" "$3")",
          not_ours, not_there),
      {(programs.there / entrypoint).string(), remote.compute.scratch.string(), needs.file_to_see.string()});
  return {reach(remote, host, words), {}, environment_of(remote)};
}

// Into a folder of its own first, which is renamed when it is whole: another run may copy at the same time.
Command copy_command(const plan::RemotePart& remote, const spec::Host& host, const NodePrograms& programs) {
  const auto there = reach(
      remote, host,
      script(
          R"(umask 077; mkdir -p "$1.$$" && tar -C "$1.$$" -xf - && { mv -T "$1.$$" "$1" 2>/dev/null || rm -rf "$1.$$"; }
                test -x "$1/lockstep-entrypoint")",
          {programs.there.string()}));
  std::vector<std::string> argv{"bash",
                                "-c",
                                R"(set -o pipefail; here=$1 files=$2; shift 2; tar -C "$here" -cf - $files | "$@")",
                                "bash",
                                programs.here.string(),
                                fmt::format("{}", fmt::join(those_there(programs.here), " "))};
  argv.insert(argv.end(), there.begin(), there.end());
  return {argv, {}, environment_of(remote)};
}

void take_answer(const Result& result, const Needs& needs, bool by_ssh, HostReport& report) {
  report.probe = result.exit_code == 0 ? node::probe_from_text(result.output) : std::nullopt;
  if (report.probe) {
    report.problems = problems_of(report.host, *report.probe, needs, now_ms());
  } else if (result.exit_code == not_ours) {
    report.problems.push_back(
        fmt::format("{}: engine.scratch can't be made there, or is somebody else's: name another", report.host.name));
  } else if (result.timed_out || (result.exit_code == ssh_failed && by_ssh)) {
    report.problems.push_back(ssh_trouble(report.host, result));
  } else {
    report.problems.push_back(fmt::format("{}: our program does not run there (exit code {}): {}", report.host.name,
                                          result.exit_code, result.errors.empty() ? result.output : result.errors));
  }
}

bool is_known(const std::string& version) { return !version.empty() && version != "?"; }
// "4.1" of "4.1.4": those understand each other.
std::string series(const std::string& version) { return version.substr(0, version.rfind('.')); }

// A file of the workspace that a host is to look at, while a preflight lasts.
class FileToSee {
 public:
  explicit FileToSee(const Workspace& workspace)
      : text_(random_hex(16)), path_(fs::absolute(workspace.computes()) / (".seen-" + text_)) {
    write_file_atomically(path_, text_);
  }
  FileToSee(const FileToSee&) = delete;
  FileToSee& operator=(const FileToSee&) = delete;
  ~FileToSee() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  const std::string& text() const { return text_; }
  const fs::path& path() const { return path_; }

 private:
  std::string text_;
  fs::path path_;
};
}  // namespace

NodePrograms node_programs(const fs::path& lockstep_program, const fs::path& scratch) {
  const fs::path here = lockstep_program.parent_path();
  if (::access((here / entrypoint).c_str(), X_OK) != 0) {
    throw failure("{} is not there: hosts run a copy of it (./x build release {})", (here / entrypoint).string(),
                  entrypoint);
  }
  std::string digests;
  for (const auto& each : those_there(here)) digests += sha256_hex_of_file(here / each);
  return {here, scratch / "bin" / sha256_hex(digests).substr(0, 16)};
}

static void tell_by_size(const spec::Compute& compute, plan::RemoteCompute& remote) {
  const spec::VmSize* const size = spec::find_vm_size(compute.size);
  if (size == nullptr) return;
  if (size->gpus) remote.gpus = size->gpus->count;
  remote.family = size->family;
  remote.tier = compute.tier;
  remote.vcpus = size->vcpus;
}

plan::RemoteCompute compute_of(const spec::Compute& compute, const fs::path& lockstep_program) {
  plan::RemoteCompute remote;
  remote.name = compute.name;
  if (compute.hosts) {
    remote.hosts = compute.hosts;
    remote.most_nodes = static_cast<int>(compute.hosts->hosts.size());
    remote.shared_files = compute.hosts->shared_files;
    remote.scratch = compute.hosts->scratch;
    remote.ssh_config = ssh_config_file(*compute.hosts, runtime_folder() / "ssh");
  } else if (compute.slurm) {
    remote.slurm = compute.slurm;
    remote.most_nodes = compute.max_instances;
    remote.shared_files = compute.slurm->shared_files;
    remote.scratch = compute.slurm->scratch;
  } else {
    throw bad_input("the compute '{}' has no engine, so that no job can run there: add one (docs/compute.md)",
                    compute.name);
  }
  remote.node_preparation = compute.node_preparation;
  remote.node_preparation_timeout_s = compute.node_preparation_timeout_s;
  remote.network_check = compute.network_check;
  tell_by_size(compute, remote);
  remote.node_program = node_programs(lockstep_program, remote.scratch).there / entrypoint;
  return remote;
}

std::vector<std::string> problems_of(const spec::Host& host, const node::Probe& probe, const Needs& needs,
                                     std::int64_t now_ms) {
  std::vector<std::string> problems;
  const auto add = [&](const std::string& text) { problems.push_back(fmt::format("{}: {}", host.name, text)); };
  if (probe.open_mpi.empty()) {
    add("no orted in the PATH of a command that comes by ssh: install Open MPI 4.1 there (Debian: openmpi-bin)");
  } else if (is_known(probe.open_mpi) && is_known(needs.open_mpi) && series(probe.open_mpi) != series(needs.open_mpi)) {
    add(fmt::format("Open MPI {} is there, {} is here: install the same", probe.open_mpi, needs.open_mpi));
  }
  if (!needs.file_to_see.empty() && probe.seen != needs.text_to_see) {
    add(
        fmt::format("does not see {}: mount the workspace's folder there at the same path, or say engine.shared_files: "
                    "false",
                    needs.file_to_see.parent_path().string()));
  }
  if (probe.disk_free_bytes < least_disk) {
    add(fmt::format("its disk is full ({:.1f} GiB free where engine.scratch is; 1 is needed): free some",
                    static_cast<double>(probe.disk_free_bytes) / gib));
  }
  if (probe.memory_free_bytes < least_memory) {
    add(fmt::format("its memory is full ({:.2f} GiB free; 0.25 are needed): end what else runs there",
                    static_cast<double>(probe.memory_free_bytes) / gib));
  }
  const std::int64_t difference_ms = probe.time_ms - now_ms;
  if (std::abs(difference_ms) > most_clock_difference_ms) {
    add(fmt::format("its clock is {} {} ours: set it (chrony, ntpd)", duration_text(std::abs(difference_ms)),
                    difference_ms > 0 ? "ahead of" : "behind"));
  }
  if (probe.gpus < needs.gpus) {
    add(fmt::format("{} GPUs, and a machine of the compute's size has {}: look at nvidia-smi there", probe.gpus,
                    needs.gpus));
  }
  const auto usual = needs.usual_speed.find(host.address);
  if (usual != needs.usual_speed.end() && !(probe.speed >= usual->second / 2)) {
    add(fmt::format("a core does {:.0f} % of what it usually does there: is it throttled, or broken?",
                    100 * probe.speed / usual->second));
  }
  return problems;
}

std::vector<HostReport> examine(const plan::RemotePart& remote, const std::vector<spec::Host>& hosts,
                                const NodePrograms& programs, const Needs& needs,
                                const std::function<bool()>& canceled) {
  std::vector<Command> probes;
  for (const auto& host : hosts) probes.push_back(probe_command(remote, host, programs, needs));
  auto answers = run_together(probes, time_to_answer, canceled);
  std::vector<std::size_t> without;
  std::vector<Command> copies;
  std::vector<Command> again;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (answers[i].exit_code != not_there) continue;
    without.push_back(i);
    copies.push_back(copy_command(remote, hosts[i], programs));
    again.push_back(probes[i]);
  }
  if (!copies.empty()) {
    const auto copied = run_together(copies, time_to_copy, canceled);
    const auto second = run_together(again, time_to_answer, canceled);
    for (std::size_t i = 0; i < without.size(); ++i) {
      answers[without[i]] = copied[i].exit_code == 0 ? second[i] : copied[i];
    }
  }
  std::vector<HostReport> reports;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    reports.push_back({hosts[i], std::nullopt, {}});
    take_answer(answers[i], needs, remote.compute.hosts.has_value(), reports.back());
  }
  return reports;
}

std::vector<HostReport> preflight(const Workspace& workspace, const plan::RemotePart& remote,
                                  const std::vector<spec::Host>& hosts, const fs::path& lockstep_program,
                                  const std::function<bool()>& canceled) {
  workspace.create();
  fs::create_directories(workspace.computes());
  const auto& compute = remote.compute;
  if (compute.hosts) write_ssh_config(*compute.hosts, compute.ssh_config);
  const FileToSee file(workspace);
  Needs needs;
  if (compute.shared_files) {
    needs.file_to_see = file.path();
    needs.text_to_see = file.text();
  }
  needs.open_mpi = node::open_mpi_version();
  needs.gpus = compute.gpus;
  needs.usual_speed = usual_speeds(workspace, compute.name);
  const auto reports = examine(remote, hosts, node_programs(lockstep_program, compute.scratch), needs, canceled);
  std::map<std::string, double> speeds;
  for (const auto& each : reports) {
    if (each.probe) speeds[each.host.address] = each.probe->speed;
  }
  learn_speeds(workspace, compute.name, speeds);
  return reports;
}

}  // namespace lockstep::hosts
