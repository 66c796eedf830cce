#include "launcher/tracking/endpoint.hpp"

#include <gmock/gmock.h>

#include "tests/support/raw_http.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/store/test_store.hpp"

namespace lockstep::tracking {
namespace {

using lockstep::testing::RawHttp;
using lockstep::testing::status_of;
using ::testing::Contains;
using ::testing::IsSupersetOf;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

class EndpointOfARun : public ::testing::Test {
 protected:
  EndpointOfARun() {
    workspace_.create();
    const auto store = history::open_sqlite_store(workspace_.store_file());
    store->create_run(history::new_run("r"));
    endpoint_ = std::make_unique<Endpoint>(workspace_, store->get_run("r"));
  }
  std::string variable(const std::string& name) { return endpoint_->variables({}).at(name); }
  RawHttp client() {
    const std::string uri = variable("MLFLOW_TRACKING_URI");
    return RawHttp(std::stoi(uri.substr(uri.rfind(':') + 1)));
  }
  std::string get(const std::string& path, const std::string& token) {
    return "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + token + "\r\n\r\n";
  }

  lockstep::testing::TemporaryFolder folder_;
  const Workspace workspace_{folder_ / ".lockstep"};
  std::unique_ptr<Endpoint> endpoint_;
};

TEST_F(EndpointOfARun, NamesTheRunAndItsExperiment) {
  const Environment variables = endpoint_->variables({});
  EXPECT_EQ(variables.size(), 5U);
  EXPECT_THAT(variables, IsSupersetOf({Pair("MLFLOW_RUN_ID", "r"), Pair("MLFLOW_EXPERIMENT_ID", "0"),
                                       Pair("MLFLOW_EXPERIMENT_NAME", "Default")}));
}

TEST_F(EndpointOfARun, IsAServerOnlyWhenSomebodyKnocks) {
  endpoint_->serve_if_knocked();
  EXPECT_GE(endpoint_->knocked_fd(), 0);
  EXPECT_FALSE(fs::exists(workspace_.uploads()));
  RawHttp early = client();
  early.send(get("/api/2.0/mlflow/runs/get?run_id=r", variable("MLFLOW_TRACKING_TOKEN")));
  endpoint_->serve_if_knocked();
  EXPECT_LT(endpoint_->knocked_fd(), 0);
  EXPECT_EQ(status_of(early.reply()), 200);
  EXPECT_EQ(status_of(early.exchange(get("/api/2.0/mlflow/runs/get?run_id=r", "another"))), 401);
  endpoint_.reset();
  EXPECT_FALSE(fs::exists(workspace_.uploads()) && !fs::is_empty(workspace_.uploads()));
}

TEST_F(EndpointOfARun, HasATokenOfItsOwn) {
  const auto store = history::open_sqlite_store(workspace_.store_file());
  const Endpoint second(workspace_, store->get_run("r"));
  EXPECT_EQ(variable("MLFLOW_TRACKING_TOKEN").size(), 40U);
  EXPECT_NE(variable("MLFLOW_TRACKING_TOKEN"), second.variables({}).at("MLFLOW_TRACKING_TOKEN"));
  EXPECT_NE(variable("MLFLOW_TRACKING_URI"), second.variables({}).at("MLFLOW_TRACKING_URI"));
}

TEST_F(EndpointOfARun, IsNotLookedForBehindAProxy) {
  EXPECT_THAT(endpoint_->variables({{"no_proxy", "a"}}), Not(Contains(Key("no_proxy"))));
  const Environment proxy{{"HTTP_PROXY", "http://p"}, {"no_proxy", "a,b"}};
  EXPECT_THAT(endpoint_->variables(proxy),
              IsSupersetOf({Pair("no_proxy", "a,b,127.0.0.1"), Pair("NO_PROXY", "127.0.0.1")}));
  const Environment known{{"http_proxy", "http://p"}, {"no_proxy", "a,127.0.0.1"}, {"NO_PROXY", "*"}};
  EXPECT_EQ(endpoint_->variables(known).size(), 5U);
}

}  // namespace
}  // namespace lockstep::tracking
