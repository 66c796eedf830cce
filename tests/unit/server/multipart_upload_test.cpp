#include <sys/stat.h>

#include "history/server/mlflow/routes.hpp"
#include "tests/unit/server/api_rig.hpp"

namespace lockstep::history::server::mlflow {
namespace {

using nlohmann::json;

class MultipartUpload : public ApiRig {
 protected:
  MultipartUpload() { serve(artifact_routes(workspace())); }

  Answer mpu(const std::string& what, const json& body, const std::string& folder = "0/r/artifacts/big") {
    return send(Verb::post, "/api/2.0/mlflow-artifacts/mpu/" + what + "/" + folder, body);
  }
  json create(int parts) { return mpu("create", {{"path", "/home/me/data.bin"}, {"num_parts", parts}}).json; }

  // As the client does: with PUT to the address it was given. The part as `complete` wants it.
  json put_part(const json& credential, const std::string& bytes) {
    const std::string url = credential["url"];
    const std::string host = "http://127.0.0.1:5000";
    EXPECT_TRUE(url.starts_with(host + "/"));
    const Answer answer = put(url.substr(host.size()), bytes);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.reply.headers.at(0).key, "ETag");
    return {{"part_number", credential["part_number"]}, {"etag", answer.reply.headers.at(0).value}, {"url", url}};
  }
  Answer put(const std::string& path, const std::string& bytes) {
    Request request = request_of(Verb::put, path);
    request.uploaded = workspace().root() / "incoming";
    write_file_atomically(request.uploaded, bytes);
    return send(std::move(request));
  }
  Answer complete(const std::string& upload_id, const json& parts) {
    return mpu("complete", {{"path", "/home/me/data.bin"}, {"upload_id", upload_id}, {"parts", parts}});
  }
  fs::path target() const { return workspace().run("r").outputs() / "big" / "data.bin"; }
  bool is_there(const std::string& upload_id) const { return fs::exists(workspace().multipart_upload(upload_id)); }
};

TEST_F(MultipartUpload, PutsThePartsTogetherInTheirOrder) {
  const json made = create(3);
  ASSERT_EQ(made["credentials"].size(), 3U);
  const std::string upload_id = made["upload_id"];
  json parts = json::array({{}, {}, {}});
  for (const std::size_t i : {2U, 0U, 1U}) parts[i] = put_part(made["credentials"][i], std::string(i + 1, "abc"[i]));
  EXPECT_FALSE(fs::exists(target()));
  EXPECT_EQ(complete(upload_id, parts).json, json::object());
  EXPECT_EQ(read_file(target()), "abbccc");
  EXPECT_FALSE(is_there(upload_id));
}

TEST_F(MultipartUpload, TakesTheCopyOfAPartThatTheClientNames) {
  const json made = create(1);
  const json first = put_part(made["credentials"][0], "first");
  const json second = put_part(made["credentials"][0], "second");
  EXPECT_NE(first["etag"], second["etag"]);
  EXPECT_EQ(complete(made["upload_id"], json::array({first})).status, 200);
  EXPECT_EQ(read_file(target()), "first");
}

TEST_F(MultipartUpload, IsNotCompletedWithPartsThatAreMissingOrInDisorder) {
  const json made = create(2);
  const std::string upload_id = made["upload_id"];
  const json one = put_part(made["credentials"][0], "1");
  const json two = put_part(made["credentials"][1], "2");
  const json never = {{"part_number", 2}, {"etag", "0123456789abcdef"}};
  const json outside = {{"part_number", 2}, {"etag", "/../../target"}};
  for (const json& parts : {json::array({two, one}), json::array({one, one}), json::array({one, never}),
                            json::array({one, outside}), json::array({{{"etag", "x"}}}), json::array()}) {
    EXPECT_EQ(complete(upload_id, parts).error_code(), "INVALID_PARAMETER_VALUE") << parts;
  }
  EXPECT_FALSE(fs::exists(target()));
  EXPECT_EQ(complete(upload_id, json::array({one, two})).status, 200);
  EXPECT_EQ(complete(upload_id, json::array({one, two})).error_code(), "RESOURCE_DOES_NOT_EXIST");
}

TEST_F(MultipartUpload, IsBoundToItsArtifact) {
  const std::string upload_id = create(1)["upload_id"];
  const json body = {{"path", "other.bin"}, {"upload_id", upload_id}, {"parts", json::array({json::object()})}};
  EXPECT_EQ(mpu("complete", body).error_code(), "INVALID_PARAMETER_VALUE");
  EXPECT_EQ(mpu("abort", body).error_code(), "INVALID_PARAMETER_VALUE");
  EXPECT_EQ(mpu("create", {{"path", "x"}, {"num_parts", 1}}, "../out").message(), "Invalid path");
  EXPECT_EQ(mpu("create", {{"path", ".."}, {"num_parts", 1}}).message(), "Invalid path");
  EXPECT_EQ(mpu("create", {{"num_parts", 1}}).status, 400);
  for (const int parts : {0, -1, 10'001}) EXPECT_EQ(mpu("create", {{"path", "x"}, {"num_parts", parts}}).status, 400);
}

TEST_F(MultipartUpload, ThatIsAbortedLeavesNothing) {
  const json made = create(1);
  const std::string upload_id = made["upload_id"];
  put_part(made["credentials"][0], "1");
  const json body = {{"path", "/home/me/data.bin"}, {"upload_id", upload_id}};
  EXPECT_EQ(mpu("abort", body).json, json::object());
  EXPECT_FALSE(is_there(upload_id));
  EXPECT_EQ(mpu("abort", body).json, json::object());
  EXPECT_EQ(put("/api/2.0/mlflow-artifacts/mpu/part/" + upload_id + "/1", "1").status, 404);
}

TEST_F(MultipartUpload, TakesNoPartOfWhatIsNone) {
  const std::string upload_id = create(1)["upload_id"];
  const std::string parts = "/api/2.0/mlflow-artifacts/mpu/part/";
  for (const char* number : {"0", "-1", "10001", "x", "1x"}) {
    EXPECT_EQ(put(parts + upload_id + "/" + number, "1").status, 400) << number;
  }
  for (const std::string& id : {std::string(32, '0'), std::string(".."), std::string("x"), upload_id.substr(1)}) {
    EXPECT_EQ(put(parts + id + "/1", "1").status, 404) << id;
  }
}

TEST_F(MultipartUpload, ThatNobodyTouchedForADayIsRemovedByTheNext) {
  const std::string old = create(1)["upload_id"];
  const std::string fresh = create(1)["upload_id"];
  const auto ago = std::chrono::hours(25);
  fs::last_write_time(workspace().multipart_upload(old), fs::file_time_type::clock::now() - ago);
  create(1);
  EXPECT_FALSE(is_there(old));
  EXPECT_TRUE(is_there(fresh));
}

}  // namespace
}  // namespace lockstep::history::server::mlflow
