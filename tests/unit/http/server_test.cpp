#include "history/server/http/server.hpp"

#include <gmock/gmock.h>

#include <future>

#include "tests/support/wait_until.hpp"
#include "tests/unit/http/running_server.hpp"

namespace lockstep::history::server::http {
namespace {

using lockstep::testing::body_of;
using lockstep::testing::RawHttp;
using lockstep::testing::status_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class HttpServer : public RunningServer {
 protected:
  void SetUp() override {
    serve(Verb::post, "/echo", echo);
    serve(Verb::get, "/hello", [](const Request&) -> Work { return [](Store&) { return text("hello"); }; });
  }
};

TEST_F(HttpServer, AnswersManyRequestsOnOneConnection) {
  start({});
  RawHttp one = client();
  for (int i = 0; i < 50; ++i) {
    const std::string reply = one.exchange("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(status_of(reply), 200);
    EXPECT_EQ(body_of(reply), "hello");
  }
  EXPECT_EQ(counts().accepted, 1U);
}

TEST_F(HttpServer, AnswersRequestsThatWereSentAtOnceInTheirOrder) {
  start({});
  RawHttp one = client();
  one.send(
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1"
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n2");
  EXPECT_EQ(body_of(one.reply()), "1");
  EXPECT_EQ(body_of(one.reply()), "2");
}

TEST_F(HttpServer, ReadsBodiesInChunks) {
  start({});
  const std::string reply = client().exchange(
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(body_of(reply), "abcde");
}

TEST_F(HttpServer, TellsAClientThatAsksToGoOn) {
  start({});
  RawHttp one = client();
  one.send("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(status_of(one.reply()), 100);
  EXPECT_EQ(body_of(one.exchange("ok")), "ok");
}

TEST_F(HttpServer, SendsNoBodyToHead) {
  start({});
  RawHttp one = client();
  one.send("HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(one.is_closed_by_server());
  const std::string reply = client().exchange("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(body_of(reply), "hello");
}

TEST_F(HttpServer, SendsNothingOfWhatTheClientHas) {
  serve(Verb::get, "/kept", [](const Request& request) -> Work {
    return [has = request.if_none_match](Store&) {
      Reply reply = text(has.empty() ? "new" : "");
      reply.status = has.empty() ? 200 : 304;
      reply.headers = {{"ETag", "\"1\""}};
      return reply;
    };
  });
  start({});
  RawHttp one = client();
  EXPECT_EQ(body_of(one.exchange("GET /kept HTTP/1.1\r\nHost: x\r\n\r\n")), "new");
  const std::string reply = one.exchange("GET /kept HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"1\"\r\n\r\n");
  EXPECT_EQ(status_of(reply), 304);
  EXPECT_THAT(reply, HasSubstr("ETag: \"1\""));
  EXPECT_THAT(reply, Not(HasSubstr("Content-Length")));
  EXPECT_EQ(body_of(one.exchange("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")), "hello");
}

TEST_F(HttpServer, RefusesWhatIsTooLong) {
  Options options;
  options.limits.header_bytes = 1000;
  options.limits.body_bytes = 100;
  start(std::move(options));
  EXPECT_EQ(status_of(client().exchange("GET /hello HTTP/1.1\r\nX: " + std::string(2000, 'a') + "\r\n\r\n")), 431);
  EXPECT_EQ(status_of(client().exchange("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n")), 413);
  EXPECT_EQ(status_of(client().exchange("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n70\r\n" +
                                        std::string(112, 'a') + "\r\n0\r\n\r\n")),
            413);
  const std::string longest(100, 'b');
  EXPECT_EQ(body_of(client().exchange("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n" + longest)),
            longest);
}

// Each of these means one thing to one program and another to the next.
TEST_F(HttpServer, RefusesRequestsWhoseEndIsUnclear) {
  start({});
  const char* const heads[] = {
      "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
      "Content-Length: 3\r\nContent-Length: 4\r\n",
      "Content-Length: +3\r\n",
      "Content-Length: 3, 4\r\n",
      "Content-Length: -1\r\n",
      "Content-Length: 99999999999999999999\r\n",
      "Content-Length : 3\r\n",
      "X: a\r\n b: folded\r\nContent-Length\r\n",
  };
  for (const char* head : heads) {
    RawHttp one = client();
    one.send(std::string("POST /echo HTTP/1.1\r\nHost: x\r\n") + head +
             "\r\nabcGET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(status_of(one.reply()), 400) << head;
    EXPECT_TRUE(one.is_closed_by_server()) << head;
    EXPECT_THAT(one.reply(), IsEmpty()) << head;
  }
}

TEST_F(HttpServer, RefusesWhatIsNoRequest) {
  start({});
  for (const char* bytes : {"\r\n\r\n\r\n", "GARBAGE\r\n\r\n", "GET /hello\r\n\r\n", "GET /hello HTTP/9.9\r\n\r\n",
                            "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"}) {
    RawHttp one = client();
    one.send(bytes);
    EXPECT_THAT(one.reply(), ::testing::AnyOf(HasSubstr(" 400 "), IsEmpty())) << bytes;
    EXPECT_TRUE(one.is_closed_by_server()) << bytes;
  }
  EXPECT_EQ(status_of(client().exchange("GET hello HTTP/1.1\r\nHost: x\r\n\r\n")), 400);
  EXPECT_EQ(status_of(client().exchange("BREW /hello HTTP/1.1\r\nHost: x\r\n\r\n")), 405);
  EXPECT_EQ(status_of(client().exchange("DELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n")), 405);
  EXPECT_EQ(status_of(client().exchange("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")), 404);
}

TEST_F(HttpServer, AnswersOnlyToItsNames) {
  Options options;
  options.host_names = {"localhost", "127.0.0.1", "[::1]"};
  start(std::move(options));
  for (const char* host : {"localhost", "localhost:5000", "127.0.0.1:1", "[::1]:5000", "[::1]"}) {
    EXPECT_EQ(status_of(client().exchange(fmt::format("GET /hello HTTP/1.1\r\nHost: {}\r\n\r\n", host))), 200) << host;
  }
  for (const char* host : {"evil.example", "localhost.evil.example:80", "", "127.0.0.1.nip.io"}) {
    EXPECT_EQ(status_of(client().exchange(fmt::format("GET /hello HTTP/1.1\r\nHost: {}\r\n\r\n", host))), 403) << host;
  }
  EXPECT_EQ(status_of(client().exchange("GET /hello HTTP/1.1\r\n\r\n")), 403);
}

TEST_F(HttpServer, DropsClientsThatAreTooSlow) {
  Options options;
  options.limits.header = options.limits.progress = options.limits.idle = std::chrono::seconds(1);
  start(std::move(options));
  RawHttp silent = client();
  RawHttp in_header = client();
  in_header.send("GET /hel");
  RawHttp in_body = client();
  in_body.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_TRUE(silent.is_closed_by_server());
  EXPECT_TRUE(in_header.is_closed_by_server());
  EXPECT_TRUE(in_body.is_closed_by_server());
  EXPECT_EQ(status_of(client().exchange("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")), 200);
}

TEST_F(HttpServer, KeepsBodiesOutOfMemoryBeyondItsBudget) {
  Options options;
  options.limits.body_bytes = 1000;
  options.limits.body_budget = 1500;  // one and a half
  start(std::move(options));
  const std::string head = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";
  RawHttp first = client();
  first.send(head);
  lockstep::testing::wait_until([&] { return counts().body_bytes_held == 1000; });
  RawHttp second = client();
  second.send(head + std::string(1000, 'b'));
  lockstep::testing::wait_until([&] { return counts().under_way == 2; });
  EXPECT_EQ(counts().body_bytes_held, 1000U);
  EXPECT_EQ(body_of(first.exchange(std::string(1000, 'a'))), std::string(1000, 'a'));
  EXPECT_EQ(body_of(second.reply()), std::string(1000, 'b'));
}

TEST_F(HttpServer, ABudgetIsGivenBackByClientsThatGoAway) {
  Options options;
  options.limits.body_bytes = options.limits.body_budget = 1000;
  start(std::move(options));
  const std::string head = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";
  for (int i = 0; i < 20; ++i) client().send(head + "abc");
  EXPECT_EQ(body_of(client().exchange(head + std::string(1000, 'a'))), std::string(1000, 'a'));
  EXPECT_TRUE(lockstep::testing::wait_until([&] { return counts().body_bytes_held == 0 && counts().under_way == 0; }));
}

TEST_F(HttpServer, AnErrorOfAHandlerIsAReply) {
  serve(Verb::get, "/bad", [](const Request&) -> Work { throw bad_input("no such thing as {}", 7); });
  serve(Verb::get, "/worse",
        [](const Request&) -> Work { return [](Store&) -> Reply { throw std::runtime_error("lightning"); }; });
  start({});
  RawHttp one = client();
  const std::string bad = one.exchange("GET /bad HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(status_of(bad), 400);
  EXPECT_THAT(body_of(bad), HasSubstr("no such thing as 7"));
  EXPECT_EQ(status_of(one.exchange("GET /worse HTTP/1.1\r\nHost: x\r\n\r\n")), 500);
  EXPECT_EQ(status_of(one.exchange("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")), 200);
}

TEST_F(HttpServer, FinishesWhatIsUnderWayBeforeItStops) {
  std::promise<void> begun;
  std::promise<void> gate;
  serve(Verb::get, "/slow", [&, until = gate.get_future().share()](const Request&) -> Work {
    return [&begun, until](Store&) {
      begun.set_value();
      until.wait();
      return text("done");
    };
  });
  start({});
  RawHttp idle = client();
  EXPECT_EQ(status_of(idle.exchange("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")), 200);
  RawHttp slow = client();
  slow.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  begun.get_future().wait();
  auto stopped = std::async(std::launch::async, [this] { stop(); });
  EXPECT_TRUE(idle.is_closed_by_server());
  EXPECT_EQ(stopped.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  gate.set_value();
  EXPECT_EQ(body_of(slow.reply()), "done");
  EXPECT_TRUE(slow.is_closed_by_server());
  stopped.get();
}

TEST_F(HttpServer, DoesNotWaitForEverForThoseUnderWay) {
  Options options;
  options.limits.stop = std::chrono::seconds(1);
  start(std::move(options));
  RawHttp half = client();
  half.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  lockstep::testing::wait_until([&] { return counts().under_way == 1; });
  stop();
  EXPECT_TRUE(half.is_closed_by_server());
}

TEST_F(HttpServer, SaysWhyItCannotListen) {
  start({});
  Options options;
  options.host = "256.0.0.1";
  const Error error = error_of([&] { start(std::move(options)); });
  EXPECT_THAT(error.what(), HasSubstr("cannot listen at 256.0.0.1:0"));
}

}  // namespace
}  // namespace lockstep::history::server::http
