#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/process_file.hpp"
#include "launcher/entrypoint/entrypoint.hpp"
#include "tests/support/temporary_folder.hpp"

namespace lockstep::entrypoint {
namespace {

class Registrations : public ::testing::Test {
 protected:
  Registrations() { folder_.create(); }
  void write(const std::string& name, const std::string& text) { write_file_atomically(folder_.ranks() / name, text); }
  std::vector<int> ranks() const {
    std::vector<int> found;
    for (const auto& each : read_registrations(folder_)) found.push_back(each.rank);
    return found;
  }
  lockstep::testing::TemporaryFolder temporary_;
  RunFolder folder_{temporary_ / "kind_owl"};
};

TEST_F(Registrations, AreGivenBackAsWritten) {
  const Registration written{.rank = 10,
                             .node = 2,
                             .process = {4242, 777},
                             .process_group = 4242,
                             .host = "here",
                             .mpi_job = MpiJob{"489f0001", "/tmp/ompi.here.0/pid.4240"}};
  write_registration(folder_, written);
  const auto all = read_registrations(folder_);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].rank, 10);
  EXPECT_EQ(all[0].node, 2);
  EXPECT_EQ(all[0].process, (ProcessId{4242, 777}));
  EXPECT_EQ(all[0].process_group, 4242);
  EXPECT_EQ(all[0].host, "here");
  EXPECT_EQ(all[0].mpi_job, written.mpi_job);
  EXPECT_FALSE(read_registration(folder_, 1));
}

TEST_F(Registrations, ComeInTheOrderOfRanks) {
  for (const int rank : {11, 2, 0}) write_registration(folder_, {.rank = rank, .process = this_process(), .host = "h"});
  EXPECT_THAT(ranks(), ::testing::ElementsAre(0, 2, 11));
}

TEST_F(Registrations, LeaveOutWhatIsNone) {
  write_registration(folder_, {.rank = 1, .process = this_process(), .host = "h"});
  write("0.json", R"({"rank":0,"pid":12,"start_ti)");
  write("2.json", "");
  write("3.json", R"({"rank":4,"pid":12,"start_time":3})");  // another's
  write("5.json", "[[[[[[[");
  write("6.json", R"({"rank":6,"pid":-1,"start_time":3})");
  write("7.stoppable.json", R"({"rank":7,"pid":12,"start_time":3})");
  write("8.json.77.0.part", R"({"rank":8,"pid":12,"start_time":3})");
  write("x.json", R"({"rank":0,"pid":12,"start_time":3})");
  fs::create_directory(folder_.ranks() / "9.json");
  EXPECT_THAT(ranks(), ::testing::ElementsAre(1));
  fs::remove_all(folder_.ranks());
  EXPECT_THAT(ranks(), ::testing::IsEmpty());
}

TEST_F(Registrations, OfStoppableProgramsStandBesideThem) {
  EXPECT_FALSE(read_stoppable(folder_, 3));
  write_process_file(folder_.stoppable_file(3), {99, 100});
  EXPECT_EQ(read_stoppable(folder_, 3), (ProcessId{99, 100}));
}

// Numbers seen with Open MPI 4.1.4: job 1218379777 had /dev/shm/vader_segment.vm.0.489f0001.*
TEST(FindMpiJob, KnowsTheJobByItsSegmentsName) {
  const Environment rank{{"OMPI_MCA_ess_base_jobid", "1218379777"},
                         {"OMPI_MCA_orte_jobfam_session_dir", "/tmp/ompi.vm.0/pid.9313"}};
  EXPECT_EQ(find_mpi_job(rank), (MpiJob{"489f0001", "/tmp/ompi.vm.0/pid.9313"}));
  const Environment small{{"OMPI_MCA_ess_base_jobid", "194969601"}, {"OMPI_MCA_orte_jobfam_session_dir", "/tmp/x"}};
  EXPECT_EQ(find_mpi_job(small), (MpiJob{"b9f0001", "/tmp/x"})) << "vader does not pad it";
  EXPECT_FALSE(find_mpi_job({}));
  EXPECT_FALSE(find_mpi_job({{"OMPI_MCA_ess_base_jobid", "x"}, {"OMPI_MCA_orte_jobfam_session_dir", "/tmp"}}));
}

}  // namespace
}  // namespace lockstep::entrypoint
