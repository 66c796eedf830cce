#include "runner/places.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

namespace lockstep::runner {

TEST(Places, ByHandEverythingLiesHereAndNoModelIsKept) {
  ::unsetenv("LOCKSTEP_RUN_DIR");
  const Places places = find_places({});
  EXPECT_FALSE(places.run);
  EXPECT_EQ(places.checkpoints, "checkpoints");
  EXPECT_EQ(places.journal(3), "lockstep-train-metrics/rank-3.jsonl");
  EXPECT_EQ(places.tensorboard, "lockstep-train-metrics/tensorboard");
  EXPECT_FALSE(places.output);
}

TEST(Places, UnderALauncherEverythingLiesInTheRunsFolder) {
  ::setenv("LOCKSTEP_RUN_DIR", "/w/runs/r1", 1);
  const Places places = find_places({});
  ::unsetenv("LOCKSTEP_RUN_DIR");
  const RunFolder run("/w/runs/r1");
  EXPECT_EQ(places.checkpoints, run.checkpoints());
  EXPECT_EQ(places.journal(0), run.journal(0));
  EXPECT_EQ(places.tensorboard, run.tensorboard());
  EXPECT_EQ(places.output, run.output("model"));
}

TEST(Places, OptionsWin) {
  ::setenv("LOCKSTEP_RUN_DIR", "/w/runs/r1", 1);
  Options options;
  options.checkpoint_dir = "/elsewhere/checkpoints";
  options.journal = "/elsewhere/journals";
  options.output = "/elsewhere/trained";
  options.tensorboard = "/elsewhere/events";
  const Places places = find_places(options);
  options.tensorboard = "none";
  EXPECT_FALSE(find_places(options).tensorboard);
  ::unsetenv("LOCKSTEP_RUN_DIR");
  EXPECT_EQ(places.checkpoints, "/elsewhere/checkpoints");
  EXPECT_EQ(places.journal(1), "/elsewhere/journals/rank-1.jsonl");
  EXPECT_EQ(places.output, "/elsewhere/trained");
  EXPECT_EQ(places.tensorboard, "/elsewhere/events");
}

}  // namespace lockstep::runner
