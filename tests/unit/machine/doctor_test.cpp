#include "launcher/machine/doctor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/temporary_folder.hpp"
#include "tests/support/write_text.hpp"

namespace lockstep::machine {
namespace {

using lockstep::testing::TemporaryFolder;
using lockstep::testing::write_text;
using ::testing::HasSubstr;

class DoctorTest : public ::testing::Test {
 protected:
  DoctorTest() {
    fs::create_directory(folder_ / "bin");
    patient_ = {.environment = {{"PATH", (folder_ / "bin").string()}},
                .folder = folder_ / "project" / ".lockstep",
                .runtime_folder = folder_ / "runtime",
                .programs = folder_ / "bin"};
  }

  // In the only folder of PATH. The scripts need a shell, and nothing else.
  void add_program(const std::string& name, const std::string& script) {
    write_text(folder_ / "bin" / name, "#!/bin/sh\n" + script + "\n");
    ASSERT_EQ(::chmod((folder_ / "bin" / name).c_str(), 0755), 0);
  }

  Finding about(const std::string& capability) {
    for (const Finding& each : examine(patient_)) {
      if (each.capability.find(capability) != std::string::npos) return each;
    }
    ADD_FAILURE() << "nothing is said of " << capability;
    return {};
  }

  TemporaryFolder folder_;
  Patient patient_;
};

TEST_F(DoctorTest, SaysHowToGetWhatIsMissing) {
  for (const char* capability : {"mpirun", "bash", "Python", "tensorboard", "lockstep-train"}) {
    const std::string wanted = std::string(capability) == "bash" ? "commands of jobs" : capability;
    const Finding finding = about(wanted);
    EXPECT_EQ(finding.health, Health::missing) << capability;
    EXPECT_FALSE(finding.found.empty() || finding.remedy.empty()) << capability;
  }
  EXPECT_TRUE(about("commands of jobs").needed);
  EXPECT_FALSE(about("mpirun").needed);
}

TEST_F(DoctorTest, BelievesNoMpirunThatDoesNotStartProcesses) {
  add_program("mpirun", "[ $1 = --version ] && echo 'mpirun (Open MPI) 4.1.4' && exit 0; echo 'no slots' >&2; exit 1");
  const Finding finding = about("mpirun");
  EXPECT_EQ(finding.health, Health::broken);
  EXPECT_THAT(finding.found, HasSubstr("mpirun (Open MPI) 4.1.4 can't start two processes: no slots"));
}

TEST_F(DoctorTest, DoesNotWaitForEverForAProgramThatHangs) {
  patient_.patience = std::chrono::milliseconds(100);
  add_program("mpirun", "[ $1 = --version ] && echo 'mpirun (Open MPI) 4.1.4' && exit 0; while :; do :; done");
  EXPECT_THAT(about("mpirun").found, HasSubstr("does not start two processes in time"));
}

TEST_F(DoctorTest, TellsAnotherMpirunFromOpenMpis) {
  add_program("mpirun", "echo 'HYDRA build details:'");
  EXPECT_THAT(about("mpirun").found, HasSubstr("not Open MPI's: HYDRA"));
}

TEST_F(DoctorTest, LooksAtTheFolderThatTheWorkspaceWouldBeMadeIn) {
  const Finding finding = about("workspace");
  EXPECT_EQ(finding.health, Health::ok);
  EXPECT_THAT(finding.found, HasSubstr(folder_.path().string() + ", "));
  EXPECT_FALSE(fs::exists(folder_ / "project")) << "it changes nothing there";
}

TEST_F(DoctorTest, SeesARuntimeFolderThatIsNone) {
  write_text(folder_ / "runtime", "a file");
  const Finding finding = about("slots");
  EXPECT_EQ(finding.health, Health::broken);
  EXPECT_THAT(finding.remedy, HasSubstr("LOCKSTEP_RUNTIME_DIR"));
}

// The real ones of the machine that tests run on.
TEST_F(DoctorTest, FindsThisMachinesOpenMpiWell) {
  patient_.environment = current_environment();
  const Finding finding = about("mpirun");
  EXPECT_EQ(finding.health, Health::ok) << finding.found;
  EXPECT_THAT(finding.found, HasSubstr("Open MPI"));
}

}  // namespace
}  // namespace lockstep::machine
