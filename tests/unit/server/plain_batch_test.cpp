#include <gtest/gtest.h>

#include <cmath>

#include "history/server/mlflow/batch.hpp"
#include "history/server/mlflow/error.hpp"

namespace lockstep::history::server::mlflow {
namespace {

TEST(PlainBatch, HasWhatTheRequestSays) {
  const auto plain = read_plain_batch(
      R"({"run_id":"r1","metrics":[{"key":"a\u00e9","value":1.5e-3,"timestamp":17,"step":-2},)"
      R"({"timestamp":1,"value":3,"key":"b"}],"params":[{"key":"p","value":""}],"tags":[{"key":"t"}]})");
  ASSERT_TRUE(plain);
  const Batch batch = plain.value_or(Batch());
  EXPECT_EQ(batch.run_id, "r1");
  EXPECT_EQ(batch.metrics, (std::vector<Metric>{{"aé", 1.5e-3, 17, -2}, {"b", 3, 1, 0}}));
  EXPECT_EQ(batch.params, (std::vector<KeyValue>{{"p", ""}}));
  EXPECT_EQ(batch.tags, (std::vector<KeyValue>{{"t", ""}}));
}

// Whatever is taken the quick way says the same the long way; whatever is odd goes the long way, which knows the
// errors.
TEST(PlainBatch, LeavesWhatIsOddToTheLongWay) {
  for (const char* body :
       {"", "{", "[]", "{}", "null", R"({"run_id":5})", R"({"run_id":"r"} {"run_id":"r"})", R"({"run_id":"../r"})",
        R"({"run_id":"r","extra":1})", R"({"run_id":"r","metrics":{}})", R"({"run_id":"r","metrics":[1]})",
        R"({"run_id":"r","metrics":[{"key":"a","value":"NaN","timestamp":1}]})",
        R"({"run_id":"r","metrics":[{"key":"a","value":1}]})",
        R"({"run_id":"r","metrics":[{"key":"a","value":1,"timestamp":1.5}]})",
        R"({"run_id":"r","metrics":[{"key":"a","value":1,"timestamp":99999999999999999999}]})",
        R"({"run_id":"r","metrics":[{"key":"a","value":1,"timestamp":1,"model_id":"m-1"}]})",
        R"({"run_id":"r","metrics":[{"key":"","value":1,"timestamp":1}]})",
        R"({"run_id":"r","params":[{"value":"1"}]})", R"({"run_id":"r","tags":[{"key":"a","value":null}]})"}) {
    EXPECT_FALSE(read_plain_batch(body)) << body;
  }
}

TEST(PlainBatch, AMetricOfAModelIsTheRunsToo) {
  Request request;
  request.verb = Verb::post;
  request.body =
      R"({"run_id":"r","metrics":[{"key":"a","value":1,"timestamp":2,"model_id":"m-1","dataset_name":"d"}]})";
  const Batch batch = read_batch(request);
  EXPECT_EQ(batch.metrics.size(), 1U);
  ASSERT_EQ(batch.of_models.count("m-1"), 1U);
  EXPECT_EQ(batch.of_models.at("m-1").at(0).dataset_name, "d");
}

}  // namespace
}  // namespace lockstep::history::server::mlflow
