#include <gmock/gmock.h>

#include "tests/unit/api/job_rig.hpp"

namespace lockstep::api {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class JobEvents : public JobRig {
 protected:
  std::optional<std::string> next() {
    if (!next_) next_ = get("/api/v1/jobs/job/events").reply.events.value_or(history::server::EventSource()).next;
    return next_(store());
  }

 private:
  std::function<std::optional<std::string>(Store&)> next_;
};

TEST_F(JobEvents, TellWhatIsNewAndThatItIsOver) {
  write_log("rank-0.log", "one\n");
  EXPECT_THAT(next(),
              ::testing::Optional(AllOf(HasSubstr("event: job\ndata: {\"name\":\"job\""), HasSubstr("NotStarted"),
                                        HasSubstr(R"(data: {"logs":[{"name":"rank-0.log","bytes":4}]})"))));
  EXPECT_EQ(next(), "");
  write_log("rank-0.log", "one\ntwo\n");
  EXPECT_THAT(next(), ::testing::Optional(AllOf(HasSubstr("event: logs"), Not(HasSubstr("event: job")))));
  store().log_batch("job", std::vector<history::Metric>{{"loss", 1, 1, 1}}, {}, {});
  EXPECT_EQ(next(), "event: metrics\ndata: {\"changed\":true}\n\n");
  EXPECT_EQ(next(), "");
  const std::int64_t epoch = store().take_ownership("job");
  store().transition("job", epoch, history::RunState::failed);
  EXPECT_THAT(next(), ::testing::Optional(AllOf(HasSubstr("Failed"), HasSubstr("event: end\ndata: {}\n\n"))));
  EXPECT_EQ(next(), std::nullopt);
}

TEST_F(JobEvents, OfNobodyAreAnErrorAndNoStream) {
  const auto answer = get("/api/v1/jobs/none/events");
  EXPECT_EQ(answer.status, 404);
  EXPECT_FALSE(answer.reply.events.has_value());
}

}  // namespace
}  // namespace lockstep::api
