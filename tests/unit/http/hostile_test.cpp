// What somebody sends who means no good: each of these means one thing to one program and another to the next, or is
// meant to keep the server waiting. A refusal closes the connection, so that what follows is no request.
#include <gmock/gmock.h>

#include <thread>

#include "tests/support/wait_until.hpp"
#include "tests/unit/http/running_server.hpp"

namespace lockstep::history::server::http {
namespace {

using lockstep::testing::body_of;
using lockstep::testing::RawHttp;
using lockstep::testing::status_of;
using lockstep::testing::wait_until;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class HostileClient : public RunningServer {
 protected:
  void SetUp() override {
    serve(Verb::post, "/echo", echo);
    serve(Verb::get, "/hello", [](const Request&) -> Work { return [](Store&) { return text("hello"); }; });
    serve(Verb::get, "/large",
          [](const Request&) -> Work { return [](Store&) { return text(std::string(std::size_t{64} << 20, 'x')); }; });
    Options options;
    options.limits.header = options.limits.progress = std::chrono::seconds(1);
    start(std::move(options));
  }
  // All that comes back for these bytes, with a request behind them that must not be answered.
  std::string outcome(const std::string& bytes) {
    RawHttp one = client();
    one.send(bytes + "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    std::string all = one.until_closed();
    EXPECT_TRUE(one.is_closed_by_server()) << bytes;
    EXPECT_THAT(all, Not(HasSubstr("hello"))) << bytes;
    return all;
  }
  static std::string post(const std::string& headers, const std::string& body) {
    return "POST /echo HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n" + body;
  }
};

TEST_F(HostileClient, CannotHideARequestBehindTransferCodings) {
  for (const char* headers : {
           "Transfer-Encoding: identity\r\n",
           "Transfer-Encoding: xchunked\r\n",
           "Transfer-Encoding: chunked, identity\r\n",
           "Transfer-Encoding: \"chunked\"\r\n",
           "Transfer-Encoding: gzip\r\n",
           "Transfer-Encoding:\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
           "Transfer-Encoding: \vchunked\r\n",
           "Transfer-Encoding : chunked\r\n",
           " Transfer-Encoding: chunked\r\n",
           "Content-Length: 3\r\nTransfer-Encoding: identity\r\n",
       }) {
    EXPECT_EQ(status_of(outcome(post(headers, "3\r\nabc\r\n0\r\n\r\n"))), 400) << headers;
  }
  EXPECT_EQ(status_of(outcome("POST /echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")), 400);
}

TEST_F(HostileClient, CannotHideARequestBehindSizesOfChunks) {
  for (const char* body : {"0x3\r\nabc\r\n0\r\n\r\n", "+3\r\nabc\r\n0\r\n\r\n", "-3\r\nabc\r\n0\r\n\r\n",
                           "3\nabc\n0\n\n", "3\r\nabcd\r\n0\r\n\r\n", "\r\n", "g\r\n", "FFFFFFFFFFFFFFFFF\r\nabc",
                           "10000000000000003\r\nabc\r\n0\r\n\r\n", "3 3\r\nabc\r\n0\r\n\r\n", "3\r\nabc0\r\n\r\n"}) {
    const std::string all = outcome(post("Transfer-Encoding: chunked\r\n", body));
    EXPECT_TRUE(all.empty() || status_of(all) == 400 || status_of(all) == 413) << body << all;
  }
}

TEST_F(HostileClient, CannotHideARequestBehindEndsOfLines) {
  for (const std::string& bytes :
       {std::string("POST /echo HTTP/1.1\nHost: x\nContent-Length: 3\n\nabc"),
        post("A: b\nContent-Length: 3\r\n", "abc"), post("A: b\rContent-Length: 3\r\n", "abc"),
        post(std::string("A: b\0c\r\n", 8), "abc"), post("Content-Length: 3\n", "abc")}) {
    const std::string all = outcome(bytes);
    EXPECT_TRUE(all.empty() || status_of(all) == 400) << bytes << all;
  }
}

TEST_F(HostileClient, GetsAFoldedHeaderReadAsOne) {
  EXPECT_EQ(body_of(client().exchange(post("A: b\r\n Content-Length: 9\r\nContent-Length: 3\r\n", "abc"))), "abc");
  EXPECT_EQ(status_of(outcome(post("Content-Length: 3\r\n 4\r\n", "abc"))), 400);
}

TEST_F(HostileClient, HasOneHost) {
  EXPECT_EQ(status_of(outcome("GET /large HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n")), 400);
}

TEST_F(HostileClient, IsClosedOnAfterEachRefusal) {
  for (const char* line : {"BREW /hello", "GET hello", "GET /%zz", "CONNECT x:80", "GET http://x/hello"}) {
    EXPECT_THAT(outcome(std::string(line) + " HTTP/1.1\r\nHost: x\r\n\r\n"),
                AllOf(HasSubstr(" 40"), HasSubstr("Connection: close\r\n")))
        << line;
  }
}

TEST_F(HostileClient, CannotKeepAHeaderGoing) {
  RawHttp one = client();
  one.send("GET /hello HTTP/1.1\r\n");
  const auto began = std::chrono::steady_clock::now();
  while (one.send("X: y\r\n")) {
    ASSERT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
    ::poll(nullptr, 0, 50);
  }
  EXPECT_TRUE(wait_until([&] { return counts().connections == 0; }));
}

TEST_F(HostileClient, CannotLeaveALargeReplyUnread) {
  RawHttp one = client();
  one.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(wait_until([&] { return counts().under_way == 1; }));
  EXPECT_TRUE(wait_until([&] { return counts().connections == 0; }));
}

TEST_F(HostileClient, MayReadALargeReplySlowly) {
  RawHttp one = client();
  one.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(body_of(one.reply()).size(), std::size_t{64} << 20);
}

TEST_F(HostileClient, DoesNotChooseHowManyHeadersThereAre) {
  std::string many;
  for (int i = 0; i < 20'000; ++i) many += "a:b\r\n";
  EXPECT_EQ(status_of(client().exchange("GET /hello HTTP/1.1\r\nHost: x\r\n" + many + "\r\n")), 431);
}

}  // namespace
}  // namespace lockstep::history::server::http
