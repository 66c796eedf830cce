// How many connections there may be, and what happens to those beyond.
#include "history/server/http/crowd.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include "tests/support/wait_until.hpp"
#include "tests/unit/http/running_server.hpp"

namespace lockstep::history::server::http {
namespace {

using lockstep::testing::RawHttp;
using lockstep::testing::status_of;
using lockstep::testing::wait_until;
using ::testing::HasSubstr;

// How many of `all` are let in, and stay, before the first who is not.
std::size_t let_in(Crowd& crowd, const std::vector<std::string>& all, std::vector<Crowd::Place>& places) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto place = crowd.enter(boost::asio::ip::make_address(all[i]));
    if (!place) return i;
    places.push_back(std::move(*place));
  }
  return all.size();
}

TEST(Crowd, LetsEachClientHaveItsShareAndThisMachineAnyNumber) {
  Crowd crowd(10'000, std::nullopt);
  std::vector<Crowd::Place> places;
  EXPECT_EQ(let_in(crowd, std::vector<std::string>(600, "192.0.2.1"), places), 512U);
  EXPECT_EQ(let_in(crowd, std::vector<std::string>(600, "192.0.2.2"), places), 512U);
  for (const char* own : {"127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_EQ(let_in(crowd, std::vector<std::string>(600, own), places), 600U) << own;
  }
  places.clear();
  EXPECT_EQ(let_in(crowd, {"192.0.2.1"}, places), 1U);
}

TEST(Crowd, CountsThisMachineToIfANumberIsSaid) {
  Crowd crowd(100, 2);
  std::vector<Crowd::Place> places;
  EXPECT_EQ(let_in(crowd, {"127.0.0.1", "127.0.0.1", "127.0.0.1"}, places), 2U);
  EXPECT_EQ(let_in(crowd, {"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"}, places), 2U);
}

TEST(Crowd, TakesANetworkOf64BitsForOneClient) {
  Crowd crowd(100, 2);
  std::vector<Crowd::Place> places;
  EXPECT_EQ(let_in(crowd, {"2001:db8::1", "2001:db8::2", "2001:db8::3"}, places), 2U);
  EXPECT_EQ(let_in(crowd, {"2001:db8:0:1::1"}, places), 1U);
}

TEST(Crowd, HasAnEnd) {
  Crowd crowd(3, std::nullopt);
  std::vector<Crowd::Place> places;
  EXPECT_EQ(let_in(crowd, {"192.0.2.1", "192.0.2.2", "127.0.0.1", "192.0.2.3"}, places), 3U);
  places.pop_back();
  EXPECT_EQ(let_in(crowd, {"192.0.2.3", "192.0.2.4"}, places), 1U);
}

class CrowdedServer : public RunningServer {
 protected:
  void SetUp() override {
    serve(Verb::get, "/hello", [](const Request&) -> Work { return [](Store&) { return text("hello"); }; });
  }
  const std::string hello_ = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
};

TEST_F(CrowdedServer, RefusesMoreOfOneClient) {
  Options options;
  options.limits.connections_per_client = 2;
  start(std::move(options));
  {
    RawHttp first = client();
    RawHttp second = client();
    EXPECT_EQ(status_of(first.exchange(hello_)), 200);
    EXPECT_EQ(status_of(second.exchange(hello_)), 200);
    RawHttp third = client();
    EXPECT_THAT(third.until_closed(), HasSubstr("HTTP/1.1 503 "));
    EXPECT_EQ(counts().refused_connections, 1U);
    EXPECT_EQ(counts().accepted, 2U);
  }
  EXPECT_TRUE(wait_until([&] { return counts().connections == 0; }));
  EXPECT_EQ(status_of(client().exchange(hello_)), 200);
}

TEST_F(CrowdedServer, RefusesMoreInAll) {
  Options options;
  options.limits.connections = 3;
  start(std::move(options));
  std::vector<RawHttp> all;
  for (int i = 0; i < 3; ++i) all.push_back(client());
  for (RawHttp& each : all) EXPECT_EQ(status_of(each.exchange(hello_)), 200);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(client().is_closed_by_server());
  EXPECT_EQ(counts().refused_connections, 20U);
  EXPECT_EQ(status_of(all.front().exchange(hello_)), 200);
}

// Between start() and the end of the test this process can open `more` descriptors.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t more) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const Fd lowest_free(::dup(0));
    const rlimit few = {static_cast<rlim_t>(lowest_free.get()) + more, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_ = {};
};

TEST_F(CrowdedServer, WaitsForDescriptorsWhenThereAreNone) {
  start({});
  RawHttp early = client();
  EXPECT_EQ(status_of(early.exchange(hello_)), 200);
  std::optional<RawHttp> late;
  const auto began = std::chrono::steady_clock::now();
  {
    const FewDescriptors one(1);
    late.emplace(client());
    ASSERT_TRUE(wait_until([&] { return counts().failed_accepts >= 3; }));
    EXPECT_EQ(status_of(early.exchange(hello_)), 200);
  }
  EXPECT_EQ(status_of(late->exchange(hello_)), 200);
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_LE(counts().failed_accepts, 2U + static_cast<std::uint64_t>(took / std::chrono::milliseconds(50)));
}

}  // namespace
}  // namespace lockstep::history::server::http
