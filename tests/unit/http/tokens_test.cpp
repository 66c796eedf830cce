// Who may come in, and how far, where a server asks for tokens.
#include <gmock/gmock.h>

#include "history/server/http/permits.hpp"
#include "history/server/http/service.hpp"
#include "tests/support/wait_until.hpp"
#include "tests/unit/http/running_server.hpp"

namespace lockstep::history::server::http {
namespace {

using lockstep::testing::body_of;
using lockstep::testing::RawHttp;
using lockstep::testing::status_of;
using lockstep::testing::wait_until;
using ::testing::HasSubstr;

class ServerWithTokens : public RunningServer {
 protected:
  void SetUp() override {
    serve(Verb::get, "/seen", echo);
    serve(Verb::post, "/changed", echo, Body::in_memory, Access::write);
    serve(Verb::put, "/file", echo, Body::to_file, Access::write);
    serve_open(Verb::get, "/open", echo);
    serve(Verb::post, "/run/{id}", [](const Request& request) -> Work {
      return [id = request.captured.at(0)](Store& store) {
        store.check_may_change_run(id);
        return text("may");
      };
    });
    Options options;
    options.gate = [this](Store& store, const std::string& token) -> std::optional<Permit> {
      ++asked_;
      if (token == "reader") return Permit{Scope::read, {}};
      if (token == "writer") return Permit{Scope::write, {}};
      if (token == "of-a-run") return Permit{Scope::admin, "mine"};
      if (token == "broken") store.get_run("no such run");
      return std::nullopt;
    };
    start(std::move(options));
  }
  std::string send(const std::string& line, const std::string& authorization, const std::string& body = "") {
    RawHttp one = client();
    const std::string header = authorization.empty() ? "" : "Authorization: " + authorization + "\r\n";
    return one.exchange(
        fmt::format("{} HTTP/1.1\r\nHost: x\r\n{}Content-Length: {}\r\n\r\n{}", line, header, body.size(), body));
  }
  int status(const std::string& line, const std::string& authorization) {
    return status_of(send(line, authorization, "body"));
  }

  std::atomic<int> asked_ = 0;
};

TEST_F(ServerWithTokens, LetsNobodyInWithoutOne) {
  for (const char* authorization : {"", "Bearer ", "Bearer", "Bearer wrong", "Basic reader", "reader", "Bearer Reader"})
    EXPECT_EQ(status("GET /seen", authorization), 401) << authorization;
  const std::string reply = send("GET /seen", "");
  EXPECT_THAT(reply, HasSubstr("WWW-Authenticate: Bearer\r\n"));
  EXPECT_THAT(reply, HasSubstr("\"error_code\":\"UNAUTHENTICATED\""));
  EXPECT_EQ(status("GET /no-such-path", ""), 401);  // what there is, is nobody's business either
  EXPECT_EQ(status("GET /seen", "bearer reader"), 200);
  EXPECT_EQ(status("GET /seen", "Bearer  reader"), 200);
}

TEST_F(ServerWithTokens, LetsEachDoWhatItsScopeSays) {
  EXPECT_EQ(status("GET /seen", "Bearer reader"), 200);
  EXPECT_EQ(status("POST /changed", "Bearer reader"), 403);
  EXPECT_THAT(send("POST /changed", "Bearer reader"), HasSubstr("\"error_code\":\"PERMISSION_DENIED\""));
  EXPECT_EQ(status("GET /seen", "Bearer writer"), 200);
  EXPECT_EQ(status("POST /changed", "Bearer writer"), 200);
  EXPECT_EQ(status("GET /open", ""), 200);
  EXPECT_EQ(status("GET /no-such-path", "Bearer reader"), 404);
}

TEST_F(ServerWithTokens, GivesTheBearerOfARunsTokenNoMoreThanTheRun) {
  EXPECT_EQ(body_of(send("POST /run/mine", "Bearer of-a-run", "x")), "may");
  EXPECT_EQ(status("POST /run/", "Bearer of-a-run"), 404);
  const std::string reply = send("POST /run/other", "Bearer of-a-run", "x");
  EXPECT_EQ(status_of(reply), 404);  // there is none; of one that is, scoped_store_test tells
  EXPECT_EQ(body_of(send("POST /run/other", "Bearer writer", "x")), "may");
}

TEST_F(ServerWithTokens, RefusesBeforeItTakesABody) {
  RawHttp one = client();
  const std::string reply = one.exchange("PUT /file HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nbegun");
  EXPECT_EQ(status_of(reply), 401);
  EXPECT_THAT(reply, HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(fs::is_empty(uploads()));
}

TEST_F(ServerWithTokens, AnswersAClientThatHasSentItsBodyAlready) {
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(status_of(send("POST /changed", "Bearer wrong", std::string(200'000, 'x'))), 401);
}

TEST_F(ServerWithTokens, AsksOnceForManyRequestsAndAgainAfterAWhile) {
  RawHttp one = client();
  const auto ask = [&] {
    return status_of(one.exchange("GET /seen HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer reader\r\n\r\n"));
  };
  EXPECT_EQ(ask(), 200);
  EXPECT_EQ(asked_, 1);
  EXPECT_TRUE(wait_until([&] { return ask() == 200 && asked_ == 2; }));
}

TEST_F(ServerWithTokens, IsNotOpenedByAStoreThatFails) { EXPECT_GE(status("GET /seen", "Bearer broken"), 400); }

TEST(Bearer, IsWhatStandsBehindTheScheme) {
  EXPECT_EQ(bearer_of("Bearer abc"), "abc");
  EXPECT_EQ(bearer_of("BEARER   abc"), "abc");
  for (const char* none : {"", "Bearer", "Bearer ", "Basic abc", "Bearerabc", "abc"}) EXPECT_EQ(bearer_of(none), "");
}

// RFC 7617's own example is the first.
TEST(Bearer, IsThePasswordOfABrowser) {
  EXPECT_EQ(bearer_of("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), "open sesame");
  EXPECT_EQ(bearer_of("basic dTpwOjo="), "p::");
  EXPECT_EQ(bearer_of("Basic dTpw"), "p");
  for (const char* none :
       {"Basic", "Basic ", "Basic ====", "Basic dTp", "Basic dTp?", "Basic dXNlcg==", "Basic =", "Basic dTo="})
    EXPECT_EQ(bearer_of(none), "") << none;
}

TEST(Service, KeepsUploadsApartFromThoseOfOtherServers) {
  const lockstep::testing::TemporaryFolder folder;
  const Workspace workspace(folder / ".lockstep");
  Options options;
  options.port = 0;
  const auto serving = std::make_unique<Service>(workspace, std::move(options));
  ASSERT_EQ(std::distance(fs::directory_iterator(workspace.uploads()), fs::directory_iterator()), 2);
  fs::create_directories(workspace.uploads() / "abandoned" / "deep");
  {
    const UploadFolder second(workspace);
    EXPECT_FALSE(fs::exists(workspace.uploads() / "abandoned"));
    EXPECT_EQ(std::distance(fs::directory_iterator(workspace.uploads()), fs::directory_iterator()), 4);
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(workspace.uploads()), fs::directory_iterator()), 2);
}

}  // namespace
}  // namespace lockstep::history::server::http
