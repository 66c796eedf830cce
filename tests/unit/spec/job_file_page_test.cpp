// The page and the example files are what the code says they are.
#include <gtest/gtest.h>

#include <cstdlib>

#include "launcher/spec/job_file_page.hpp"
#include "launcher/spec/key_table.hpp"
#include "launcher/spec/read_job.hpp"

namespace lockstep::spec {
namespace {

fs::path source_folder() { return LOCKSTEP_SOURCE_DIR; }

// LOCKSTEP_WRITE_DOCS=1 test_spec --gtest_filter='JobFilePage.*' writes the page anew after a change of the table.
TEST(JobFilePage, IsWhatTheTableSays) {
  const fs::path page = source_folder() / "docs/job-files.md";
  if (std::getenv("LOCKSTEP_WRITE_DOCS") != nullptr) write_file_atomically(page, job_file_page());
  EXPECT_EQ(read_file(page), job_file_page());
}

TEST(JobFilePage, ListsEveryKeyOnce) {
  const std::string page = job_file_page();
  for (const KeyRow& row : job_keys()) {
    const std::string cell = "\n| `" + std::string(row.path) + "`";
    const std::size_t first = page.find(cell);
    ASSERT_NE(first, std::string::npos) << row.path;
    EXPECT_EQ(page.find(cell, first + 1), std::string::npos) << row.path;
    EXPECT_FALSE(row.help.empty()) << row.path;
  }
}

TEST(ExampleJobs, AreAllRead) {
  int count = 0;
  for (const auto& file : fs::directory_iterator(source_folder() / "configs/jobs")) {
    if (file.path().extension() != ".yml") continue;
    SCOPED_TRACE(file.path());
    const CommandJob job = read_job_file(file.path());
    EXPECT_FALSE(job.experiment_name.empty());
    EXPECT_EQ(job.compute, "");  // they run on any machine
    EXPECT_EQ(read_job(to_yaml(job), "again", job.folder), job);
    ++count;
  }
  EXPECT_GE(count, 4);
}

TEST(ExampleJobs, FashionMnistRunsOnTwoMpiRanks) {
  const CommandJob job = read_job_file(source_folder() / "configs/jobs/fashion-mnist.yml");
  EXPECT_EQ(job.distribution.type, DistributionType::mpi);
  EXPECT_EQ(job.distribution.process_count_per_instance, 2);
  EXPECT_EQ(job.inputs.at("data").path, "/usr/share/datasets/fashion-mnist");
  EXPECT_FALSE(job.inputs.at("data").is_literal);
}

}  // namespace
}  // namespace lockstep::spec
