// Real mpiruns, killed: their segments in /dev/shm and session folders go, everybody else's stay.
#include "launcher/processes/mpi_leftovers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launcher/processes/process_table.hpp"
#include "tests/unit/processes/run_processes.hpp"

namespace lockstep::processes {
namespace {

using entrypoint::MpiJob;

class MpiRun {
 public:
  explicit MpiRun(const std::string& name) : run_(name) {
    mpirun_ = run_.start({"mpirun", "--oversubscribe", "--bind-to", "none", "--mca", "btl", "self,vader", "-np", "2",
                          MPI_WAIT, run_.folder().outputs().string()},
                         run_.environment());
    for (const char* rank : {"0", "1"}) {
      const std::string file = (run_.folder().outputs() / rank).string();
      ranks_.push_back(run_.process_in(fs::relative(file, run_ / "").string()));
    }
    if (auto job = entrypoint::find_mpi_job(parse_environment(environment_of(ranks_[0].pid)))) job_ = *job;
  }
  RunProcesses& run() { return run_; }
  const MpiJob& job() const { return job_; }
  const ProcessId& mpirun() const { return mpirun_; }
  const std::vector<ProcessId>& ranks() const { return ranks_; }

  std::size_t segments() const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator("/dev/shm")) {
      const std::string name = entry.path().filename().string();
      if (name.find("vader_segment.") == 0 && name.find("." + job_.job_id + ".") != std::string::npos) ++count;
    }
    return count;
  }
  bool has_folder() const { return !job_.session_folder.empty() && fs::exists(job_.session_folder); }
  bool runs() const { return is_alive(mpirun_) && is_alive(ranks_[0]) && is_alive(ranks_[1]); }

 private:
  RunProcesses run_;
  ProcessId mpirun_;
  std::vector<ProcessId> ranks_;
  MpiJob job_;
};

TEST(MpiLeftovers, GoWithTheRunAndNoOthersDo) {
  MpiRun killed("killed");
  MpiRun other("other");
  ASSERT_TRUE(killed.runs());
  ASSERT_TRUE(other.runs());
  ASSERT_EQ(killed.segments(), 2U) << killed.job().job_id;
  ASSERT_TRUE(killed.has_folder()) << killed.job().session_folder;
  EXPECT_TRUE(kill_all(killed.run().id(), 0, 0, 20'000));
  EXPECT_EQ(killed.segments(), 0U);
  EXPECT_FALSE(killed.has_folder());
  EXPECT_TRUE(other.runs());
  EXPECT_EQ(other.segments(), 2U);
  EXPECT_TRUE(other.has_folder());
}

TEST(MpiLeftovers, AreFoundByRegistrationsWhenEverybodyIsDead) {
  MpiRun dead("dead");
  ASSERT_TRUE(dead.runs());
  entrypoint::write_registration(dead.run().folder(), {.rank = 0, .process = dead.ranks()[0], .mpi_job = dead.job()});
  send_signal(dead.mpirun(), SIGKILL);
  for (const auto& rank : dead.ranks()) send_signal(rank, SIGKILL);
  for (const auto& rank : dead.ranks()) EXPECT_TRUE(ends(rank));
  dead.run().status_of(dead.mpirun());
  ASSERT_EQ(dead.segments(), 2U);
  EXPECT_TRUE(kill_all(dead.run().folder(), 0, 0, 20'000));
  EXPECT_EQ(dead.segments(), 0U);
  EXPECT_FALSE(dead.has_folder());
}

TEST(MpiLeftovers, AreFoundByThePidOfADeadMpirun) {
  MpiRun dead("launcher");
  ASSERT_TRUE(dead.runs());
  send_signal(dead.mpirun(), SIGKILL);
  for (const auto& rank : dead.ranks()) send_signal(rank, SIGKILL);
  for (const auto& rank : dead.ranks()) EXPECT_TRUE(ends(rank));
  dead.run().status_of(dead.mpirun());
  EXPECT_TRUE(kill_all(dead.run().folder(), 0, 0, 20'000, dead.mpirun().pid));
  EXPECT_EQ(dead.segments(), 0U);
  EXPECT_FALSE(dead.has_folder());
}

TEST(MpiLeftovers, OfALivingMpirunAreLeftAlone) {
  MpiRun living("living");
  ASSERT_TRUE(living.runs());
  remove_mpi_leftovers({living.job()});
  EXPECT_EQ(living.segments(), 2U);
  EXPECT_TRUE(living.has_folder());
}

// Else an mpirun that begins just then fails: its folder is gone after it was there.
TEST(MpiLeftovers, TheFolderOfAllJobsOutlivesTheLast) {
  lockstep::testing::TemporaryFolder temporary;
  const auto folders = [&] {
    std::vector<fs::path> found;
    for (const auto& each : fs::directory_iterator(temporary.path())) found.push_back(each.path());
    return found;
  };
  const auto mpirun = [&] {
    Environment environment = current_environment();
    environment["TMPDIR"] = temporary.path();
    environment["OMPI_ALLOW_RUN_AS_ROOT"] = environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
    ProgramSpec program;
    program.argv = {"mpirun", "--oversubscribe", "--bind-to", "none", "-np", "1", "true"};
    program.environment = environment;
    const auto ended = run_program(program, std::chrono::minutes(4));
    EXPECT_EQ(ended.exit_code(), 0) << ended.output;
  };
  mpirun();
  EXPECT_THAT(folders(), ::testing::IsEmpty()) << "Open MPI removes it now and then: what we keep it from";
  keep_session_folder(temporary.path());
  const auto kept = folders();
  ASSERT_EQ(kept.size(), 1U);
  mpirun();
  EXPECT_EQ(folders(), kept);
  EXPECT_EQ(std::distance(fs::directory_iterator(kept[0]), {}), 1) << "of the job, nothing is left";
}

TEST(MpiLeftovers, AreOnlyWhatOpenMpiMakes) {
  lockstep::testing::TemporaryFolder temporary;
  const std::string uid = std::to_string(::getuid());
  const auto make = [&](const fs::path& path) {
    fs::create_directories(path);
    return path;
  };
  constexpr const char* job = "0000beef";
  const std::string nobody = "pid.2147483646";
  const std::vector<fs::path> kept = {make(temporary / "precious"),
                                      make(temporary.path() / "precious" / nobody),
                                      make(temporary / ("ompi.h." + uid)),
                                      make(temporary.path() / ("ompi.h." + uid) / "pid."),
                                      make(temporary.path() / ("ompi.h." + uid) / "pid.x"),
                                      make(temporary.path() / ("ompi.h." + uid + "9") / nobody)};
  std::vector<MpiJob> jobs;
  jobs.reserve(kept.size() + 5);
  for (const auto& folder : kept) jobs.push_back({job, folder});
  jobs.push_back({job, "/"});
  jobs.push_back({job, ""});
  jobs.push_back({"../../x", temporary.path() / ("ompi.h." + uid) / "pid."});
  const fs::path link = temporary.path() / ("ompi.h." + uid) / nobody;
  fs::create_directory_symlink(temporary / "precious", link);
  jobs.push_back({job, link});
  jobs.push_back({job, temporary.path() / ("ompi.h." + uid) / nobody / ".." / ".." / "precious"});
  remove_mpi_leftovers(jobs);
  for (const auto& folder : kept) EXPECT_TRUE(fs::exists(folder)) << folder;
  fs::remove(link);
  remove_mpi_leftovers({{job, make(link)}});
  EXPECT_FALSE(fs::exists(link)) << "a folder of a dead mpirun goes";
}

}  // namespace
}  // namespace lockstep::processes
