#include "launcher/machine/doctor.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <thread>

#include "common/curl_library.hpp"
#include "common/error.hpp"
#include "launcher/machine/nvml.hpp"

namespace lockstep::machine {

namespace {
constexpr double gib = 1024.0 * 1024.0 * 1024.0;

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

class Doctor {
 public:
  explicit Doctor(const Patient& patient) : patient_(patient) {}

  std::vector<Finding> examine() {
    look_at_folders();
    look_at_shell();
    look_at_mpirun();
    look_at_shared_memory();
    look_at_other_machines();
    look_at_trainer();
    look_at_gpus();
    look_at_python();
    look_at_libcurl();
    look_at_tensorboard();
    look_at_descriptors();
    return std::move(findings_);
  }

 private:
  void add(Finding finding) { findings_.push_back(std::move(finding)); }

  std::optional<fs::path> program(const std::string& name) const {
    return find_program(name, value_of(patient_.environment, "PATH"));
  }

  // nullopt: it was killed because it took too long, or could not be started.
  std::optional<ProgramResult> tried(std::vector<std::string> argv) const {
    Environment environment = patient_.environment;
    environment["OMPI_ALLOW_RUN_AS_ROOT"] = environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
    try {
      return run_program({.argv = std::move(argv), .environment = std::move(environment), .working_folder = {}},
                         patient_.patience);
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  // The nearest folder that is there; what is below it would be made.
  void look_at_folders() {
    fs::path folder = fs::absolute(patient_.folder);
    std::error_code ignored;
    while (!fs::exists(folder, ignored) && folder.has_relative_path()) folder = folder.parent_path();
    struct statvfs disk = {};
    if (::access(folder.c_str(), W_OK) != 0 || ::statvfs(folder.c_str(), &disk) != 0) {
      add({"workspace", Health::broken, true, folder.string() + " can't be written",
           "start in a folder of yours, or set LOCKSTEP_WORKSPACE"});
    } else {
      const double free = static_cast<double>(disk.f_frsize) * static_cast<double>(disk.f_bavail) / gib;
      const bool enough = free >= 1;
      add({"workspace", enough ? Health::ok : Health::broken, true,
           fmt::format("{}, {:.1f} GiB free", folder.string(), free),
           enough ? "" : "free some disk: checkpoints and logs go there"});
    }
    try {
      make_own_folder(patient_.runtime_folder);
      add({"slots of this machine", Health::ok, true,
           fmt::format("{}, {} cores", patient_.runtime_folder.string(), std::thread::hardware_concurrency()), ""});
    } catch (const Error& error) {
      add({"slots of this machine", Health::broken, true, error.what(),
           "set LOCKSTEP_RUNTIME_DIR to a folder of yours"});
    }
  }

  void look_at_shell() {
    const auto bash = program("bash");
    add({"commands of jobs", bash ? Health::ok : Health::missing, true, bash ? bash->string() : "no bash in PATH",
         bash ? "" : "install bash"});
  }

  void look_at_mpirun() {
    const char* const name = "several ranks (mpirun)";
    const char* const install = "install Open MPI 4.1 (Debian: openmpi-bin)";
    if (!program("mpirun")) return add({name, Health::missing, false, "no mpirun in PATH", install});
    const auto version = tried({"mpirun", "--version"});
    const std::string words = version ? first_line(version->output) : "";
    if (words.find("Open MPI") == std::string::npos) {
      return add({name, Health::broken, false, "mpirun is not Open MPI's: " + words, install});
    }
    const auto started = tried({"mpirun", "-np", "2", "--oversubscribe", "--bind-to", "none", "true"});
    if (started && started->exit_code() == 0) return add({name, Health::ok, false, words, ""});
    add({name, Health::broken, false,
         started ? words + " can't start two processes: " + last_line(started->output)
                 : words + " does not start two processes in time",
         "try: mpirun -np 2 --oversubscribe true"});
  }

  // Open MPI's ranks talk through files of 4 MiB each there.
  void look_at_shared_memory() {
    struct statvfs disk = {};
    if (::statvfs("/dev/shm", &disk) != 0) {
      return add({"shared memory", Health::broken, false, "no /dev/shm", "mount a tmpfs at /dev/shm"});
    }
    const double free = static_cast<double>(disk.f_frsize) * static_cast<double>(disk.f_bavail) / gib;
    const bool enough = free >= 0.25;
    add({"shared memory", enough ? Health::ok : Health::broken, false, fmt::format("/dev/shm, {:.2f} GiB free", free),
         enough ? "" : "of a container: --shm-size=2g"});
  }

  void look_at_other_machines() {
    const auto found = [&](const char* capability, const std::vector<const char*>& programs, const char* remedy) {
      for (const char* const each : programs) {
        if (program(each)) continue;
        return add({capability, Health::missing, false, fmt::format("no {} in PATH", each), remedy});
      }
      add({capability, Health::ok, false, program(programs.front())->string(), ""});
    };
    found("jobs on hosts (ssh)", {"ssh"}, "install OpenSSH's client (Debian: openssh-client)");
    found("jobs in a Slurm cluster", {"salloc", "srun", "squeue", "sinfo", "scontrol"},
          "install Slurm's commands (Debian: slurm-client)");
    found("a cluster in a box", {"slurmctld", "slurmd", "munged"}, "install Slurm and MUNGE (Debian: slurm-wlm munge)");
  }

  void look_at_trainer() {
    const fs::path trainer = patient_.programs / "lockstep-train";
    const bool is_there = ::access(trainer.c_str(), X_OK) == 0;
    add({"training by lockstep-train", is_there ? Health::ok : Health::missing, false,
         is_there ? trainer.string() : "not beside lockstep", is_there ? "" : "./x build release lockstep-train"});
  }

  void look_at_gpus() {
    const auto gpus = Nvml().read();
    if (!gpus.empty()) return add({"GPUs", Health::ok, false, fmt::format("{} by NVIDIA's driver", gpus.size()), ""});
    const bool has_device = ::access("/dev/nvidia0", F_OK) == 0;
    add({"GPUs", has_device ? Health::broken : Health::missing, false,
         has_device ? "/dev/nvidia0 is there, and NVIDIA's driver does not answer" : "none that NVIDIA's driver shows",
         has_device ? "try: nvidia-smi" : ""});
  }

  // Asked without importing them, which takes seconds.
  void look_at_python() {
    struct Package {
      const char* capability;
      const char* name;
      const char* remedy;
    };
    constexpr std::array<Package, 3> packages = {
        {{"PyTorch jobs", "torch", "pip install torch (Debian: python3-torch)"},
         {"MPI in Python", "mpi4py", "pip install mpi4py (Debian: python3-mpi4py)"},
         {"logging with mlflow", "mlflow", "pip install mlflow-skinny, or mlflow"}}};
    if (!program("python3")) {
      return add({"Python jobs", Health::missing, false, "no python3 in PATH", "install python3"});
    }
    for (const Package& each : packages) {
      const auto asked = tried({"python3", "-c",
                                "import importlib.metadata as m, importlib.util as u, sys; n = sys.argv[1]; "
                                "print(m.version(n)) if u.find_spec(n) else sys.exit(1)",
                                each.name});
      const bool is_there = asked && asked->exit_code() == 0;
      add({each.capability, is_there ? Health::ok : Health::missing, false,
           is_there ? fmt::format("{} {}", each.name, first_line(asked->output))
                    : fmt::format("python3 in PATH has no {}", each.name),
           is_there ? "" : each.remedy});
    }
  }

  void look_at_libcurl() {
    try {
      curl_library();
      add({"web inputs, reports to servers", Health::ok, false, "libcurl", ""});
    } catch (const Error& error) {
      add({"web inputs, reports to servers", Health::missing, false, error.what(),
           "install libcurl (Debian: libcurl4)"});
    }
  }

  void look_at_tensorboard() {
    const auto found = program("tensorboard");
    add({"lockstep tensorboard", found ? Health::ok : Health::missing, false,
         found ? found->string() : "no tensorboard in PATH", found ? "" : "pip install tensorboard"});
  }

  // `lockstep serve` raises the soft limit by itself as far as the hard one goes.
  void look_at_descriptors() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const bool enough = limit.rlim_max >= 4096;
    add({"many clients (lockstep serve)", enough ? Health::ok : Health::broken, false,
         fmt::format("up to {} open files", limit.rlim_max), enough ? "" : "raise the hard limit: ulimit -Hn 65536"});
  }

  const Patient& patient_;
  std::vector<Finding> findings_;
};
}  // namespace

std::string_view name_of(Health health) {
  constexpr std::array<std::string_view, 3> words = {"ok", "missing", "broken"};
  return words.at(static_cast<std::size_t>(health));
}

std::vector<Finding> examine(const Patient& patient) { return Doctor(patient).examine(); }

}  // namespace lockstep::machine
