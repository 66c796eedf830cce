// Server-sent events: what comes, when it ends, and what it keeps nobody from.
#include <gmock/gmock.h>

#include <future>

#include "tests/support/wait_until.hpp"
#include "tests/unit/http/running_server.hpp"

namespace lockstep::history::server::http {
namespace {

using lockstep::testing::body_of;
using lockstep::testing::RawHttp;
using lockstep::testing::status_of;
using lockstep::testing::wait_until;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

using Next = std::function<std::optional<std::string>(Store&)>;

class EventStream : public RunningServer {
 protected:
  void SetUp() override {
    serve(Verb::get, "/hello", [](const Request&) -> Work { return [](Store&) { return text("hello"); }; });
  }
  ~EventStream() override { stop(); }  // while what `next` refers to is there

  void stream(const std::string& pattern, const Next& next,
              std::chrono::milliseconds pause = std::chrono::milliseconds(1)) {
    serve(Verb::get, pattern, [next, pause](const Request&) -> Work {
      return [next, pause](Store&) {
        Reply reply;
        reply.events = EventSource{next, pause};
        return reply;
      };
    });
  }
  // "1", nothing, "2", nothing, ... and then no more
  Next count_to(int last) {
    return [this, last](Store&) -> std::optional<std::string> {
      const int call = calls_++;
      if (call == 2 * last) return std::nullopt;
      return call % 2 == 0 ? fmt::format("data: {}\n\n", call / 2 + 1) : "";
    };
  }
  static std::string get(const std::string& path, int minor = 1) {
    return fmt::format("GET {} HTTP/1.{}\r\nHost: x\r\n\r\n", path, minor);
  }

  std::atomic<int> calls_ = 0;
};

TEST_F(EventStream, IsSentInChunksAndTheConnectionGoesOn) {
  stream("/events", count_to(2));
  start({});
  RawHttp one = client();
  one.send(get("/events"));
  const std::string reply = one.until("\r\n0\r\n\r\n");
  EXPECT_EQ(status_of(reply), 200);
  EXPECT_THAT(reply, AllOf(HasSubstr("Content-Type: text/event-stream\r\n"), HasSubstr("Cache-Control: no-store\r\n"),
                           HasSubstr("Transfer-Encoding: chunked\r\n"), Not(HasSubstr("Content-Length"))));
  EXPECT_EQ(body_of(reply), "9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n0\r\n\r\n");
  EXPECT_EQ(body_of(one.exchange(get("/hello"))), "hello");
  EXPECT_EQ(counts().accepted, 1U);
}

TEST_F(EventStream, EndsWithTheConnectionForOlderClients) {
  stream("/events", count_to(2));
  start({});
  RawHttp one = client();
  one.send(get("/events", 0));
  const std::string reply = one.until_closed();
  EXPECT_THAT(reply, AllOf(StartsWith("HTTP/1.0 200 "), Not(HasSubstr("Transfer-Encoding")),
                           EndsWith("\r\n\r\ndata: 1\n\ndata: 2\n\n")));
}

TEST_F(EventStream, IsOnlyAHeaderToHead) {
  stream("/events", count_to(2));
  start({});
  RawHttp one = client();
  EXPECT_THAT(one.exchange("HEAD /events HTTP/1.1\r\nHost: x\r\n\r\n"), HasSubstr("text/event-stream"));
  EXPECT_EQ(body_of(one.exchange(get("/hello"))), "hello");
  EXPECT_EQ(calls_, 0);
}

TEST_F(EventStream, SaysThatItIsAliveWhenNothingElseIsToBeSaid) {
  stream(
      "/events", [](Store&) { return std::optional<std::string>(""); }, std::chrono::hours(1));
  Options options;
  options.limits.alive = std::chrono::milliseconds(20);
  start(std::move(options));
  RawHttp one = client();
  one.send(get("/events"));
  EXPECT_THAT(one.until(": alive\n\n\r\n9\r\n: alive\n\n\r\n"), Not(HasSubstr("data")));
}

TEST_F(EventStream, SaysWhatWentWrongAndEnds) {
  stream("/events", [](Store&) -> std::optional<std::string> { throw not_found("the run is gone"); });
  start({});
  RawHttp one = client();
  one.send(get("/events"));
  EXPECT_THAT(one.until("\r\n0\r\n\r\n"),
              AllOf(HasSubstr("event: error\ndata: {"), HasSubstr("the run is gone\"}\n\n")));
  EXPECT_EQ(body_of(one.exchange(get("/hello"))), "hello");
}

TEST_F(EventStream, IsNoticedToHaveNoClient) {
  stream("/events", [](Store&) { return std::optional<std::string>(""); });
  start({});
  client().send(get("/events"));
  EXPECT_TRUE(wait_until([&] { return counts().accepted == 1 && counts().connections == 0; }));
  EXPECT_EQ(counts().event_streams, 0U);
}

TEST_F(EventStream, HoldsUpNeitherRequestsNorAStop) {
  stream(
      "/events", [this](Store&) { return ++calls_, std::optional<std::string>(""); }, std::chrono::hours(1));
  start({});
  std::vector<RawHttp> all;
  for (int i = 0; i < 20; ++i) {  // there are two readers
    all.push_back(client());
    all.back().send(get("/events"));
  }
  ASSERT_TRUE(wait_until([&] { return calls_ == 20; }));
  EXPECT_EQ(body_of(client().exchange(get("/hello"))), "hello");
  EXPECT_TRUE(wait_until([&] { return counts().under_way == 0; }));  // a client has its reply a moment before
  EXPECT_EQ(counts().event_streams, 20U);
  const auto began = std::chrono::steady_clock::now();
  stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
  for (RawHttp& each : all) EXPECT_THAT(each.until_closed(), EndsWith("\r\n\r\n0\r\n\r\n"));
}

TEST_F(EventStream, EndsForAClientThatDoesNotRead) {
  stream("/events", [](Store&) { return std::optional(std::string(1 << 20, 'x')); });
  Options options;
  options.limits.progress = std::chrono::seconds(1);
  start(std::move(options));
  RawHttp one = client();
  one.send(get("/events"));
  EXPECT_TRUE(wait_until([&] { return counts().accepted == 1 && counts().connections == 0; }));
}

TEST_F(EventStream, EndsWhenItsTokenDoes) {
  std::atomic<bool> good = true;
  stream("/events", [](Store&) { return std::optional<std::string>(""); });
  Options options;
  options.gate = [&](Store&, const std::string&) {
    return good ? std::optional(Permit{Scope::read, {}}) : std::nullopt;
  };
  start(std::move(options));
  RawHttp one = client();
  one.send("GET /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\n\r\n");
  ASSERT_TRUE(wait_until([&] { return counts().event_streams == 1; }));
  good = false;
  EXPECT_THAT(one.until("\r\n0\r\n\r\n"), HasSubstr("UNAUTHENTICATED"));
  stop();
}

TEST_F(EventStream, OfARunsTokenChangesNoOtherRun) {
  stream("/events", [](Store& store) -> std::optional<std::string> {
    store.check_may_change_run("other");
    return "";
  });
  Options options;
  options.gate = [](Store&, const std::string&) { return std::optional(Permit{Scope::admin, "mine"}); };
  start(std::move(options));
  RawHttp one = client();
  one.send("GET /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\n\r\n");
  EXPECT_THAT(one.until("\r\n0\r\n\r\n"), HasSubstr("event: error"));
}

}  // namespace
}  // namespace lockstep::history::server::http
