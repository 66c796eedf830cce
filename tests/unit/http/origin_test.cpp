// Pages of other sites, which a browser lets send requests to any server.
#include "history/server/http/origin.hpp"

#include <gmock/gmock.h>

#include "tests/unit/http/running_server.hpp"

namespace lockstep::history::server::http {
namespace {

using lockstep::testing::body_of;
using lockstep::testing::RawHttp;
using lockstep::testing::status_of;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Origin, IsOurOwnIfHostAndPortAre) {
  EXPECT_TRUE(is_own_page("http://localhost:5000", "localhost:5000"));
  EXPECT_TRUE(is_own_page("http://LOCALHOST:5000", "localhost:5000"));
  EXPECT_TRUE(is_own_page("http://[::1]:5000", "[::1]:5000"));
  EXPECT_TRUE(is_own_page("https://runs.example", "runs.example"));
  EXPECT_TRUE(is_own_page("https://runs.example", "runs.example:443"));
  EXPECT_TRUE(is_own_page("http://runs.example:80", "runs.example"));
}

TEST(Origin, IsSomebodyElsesOtherwise) {
  for (const char* origin :
       {"", "null", "localhost:5000", "http://", "http://localhost", "http://localhost:5001", "https://localhost",
        "http://127.0.0.1:5000", "http://evil.example", "http://localhost:5000.evil.example",
        "http://evil.example:5000", "http://localhost:5000/", "http://user@localhost:5000"}) {
    EXPECT_FALSE(is_own_page(origin, "localhost:5000")) << origin;
  }
  EXPECT_FALSE(is_own_page("http://", ""));
  EXPECT_FALSE(is_own_page("http://evil.example", ""));
  EXPECT_FALSE(is_own_page("http://[::1]:5000", "[::1]"));
}

class PagesOfOthers : public RunningServer {
 protected:
  void SetUp() override {
    serve(Verb::post, "/changed", echo, Body::in_memory, Access::write);
    start({});
  }
  static std::string posted(const std::string& headers) {
    return "POST /changed HTTP/1.1\r\nHost: localhost:5000\r\nContent-Type: text/plain\r\n" + headers;
  }
};

TEST_F(PagesOfOthers, AreRefusedBeforeTheirBodyIsRead) {
  for (const char* origin : {"Origin: http://evil.example\r\n", "Origin: null\r\n", "Origin:\r\n",
                             "Origin: http://localhost:5000\r\nOrigin: http://evil.example\r\n"}) {
    RawHttp one = client();
    const std::string reply = one.exchange(posted(origin) + "Content-Length: 1000\r\n\r\nbegun");
    EXPECT_EQ(status_of(reply), 403) << origin;
    EXPECT_THAT(reply, HasSubstr("Connection: close\r\n"));
    EXPECT_TRUE(one.is_closed_by_server());
  }
  EXPECT_EQ(status_of(client().exchange("OPTIONS /changed HTTP/1.1\r\nHost: localhost:5000\r\n"
                                        "Origin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n\r\n")),
            405);
}

TEST_F(PagesOfOthers, AreNotWhatOurOwnAndOtherClientsAre) {
  const std::string length = "Content-Length: 2\r\n\r\nok";
  const std::string reply = client().exchange(posted("Origin: http://localhost:5000\r\n") + length);
  EXPECT_EQ(body_of(reply), "ok");
  EXPECT_THAT(reply, Not(HasSubstr("Access-Control")));
  EXPECT_EQ(body_of(client().exchange(posted("") + length)), "ok");
}

}  // namespace
}  // namespace lockstep::history::server::http
