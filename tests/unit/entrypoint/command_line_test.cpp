#include "launcher/entrypoint/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"

namespace lockstep::entrypoint {
namespace {

using ::testing::ElementsAre;

CommandLine parse(std::vector<const char*> words) { return parse_command_line(words); }

TEST(Entrypoint, TakesEverythingAfterTheDashesAsTheCommand) {
  const auto line = parse({"--procs-per-node", "4", "--", "python", "--", "-x", ""});
  EXPECT_EQ(line.options.procs_per_node, 4);
  EXPECT_THAT(line.argv, ElementsAre("python", "--", "-x", ""));
  EXPECT_EQ(parse({"--procs-per-node=2", "--", "a"}).options.procs_per_node, 2);
  EXPECT_EQ(parse({"--", "a"}).options.procs_per_node, std::nullopt);
}

TEST(Entrypoint, ReadsTheLayoutOfATensorFlowJob) {
  const Options options =
      parse({"--toolkit=tensorflow", "--nodes", "2", "--workers=3", "--parameter-servers", "1", "--", "a"}).options;
  EXPECT_EQ(options.toolkit, Toolkit::tensorflow);
  EXPECT_EQ(options.nodes, 2);
  EXPECT_EQ(options.workers, 3);
  EXPECT_EQ(options.parameter_servers, 1);
  EXPECT_EQ(parse({"--", "a"}).options.toolkit, Toolkit::mpi);
}

TEST(Entrypoint, RefusesWhatItDoesNotKnow) {
  EXPECT_THROW(parse({"--"}), Error);
  EXPECT_THROW(parse({"python"}), Error);
  EXPECT_THROW(parse({"--procs-per-node", "0", "--", "a"}), Error);
  EXPECT_THROW(parse({"--procs-per-node", "2x", "--", "a"}), Error);
  EXPECT_THROW(parse({"--procs-per-node"}), Error);
  EXPECT_THROW(parse({"--procs", "1", "--", "a"}), Error);
  EXPECT_THROW(parse({"--toolkit", "caffe", "--", "a"}), Error);
  EXPECT_THROW(parse({"--nodes", "99999999999", "--", "a"}), Error);
}

}  // namespace
}  // namespace lockstep::entrypoint
