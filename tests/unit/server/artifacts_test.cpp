#include <gmock/gmock.h>

#include "history/server/mlflow/artifact_files.hpp"
#include "history/server/mlflow/artifact_uris.hpp"
#include "history/server/mlflow/entities.hpp"
#include "history/server/mlflow/routes.hpp"
#include "tests/unit/server/api_rig.hpp"

namespace lockstep::history::server::mlflow {
namespace {

using nlohmann::json;

class ArtifactRoutes : public ApiRig {
 protected:
  ArtifactRoutes() { serve(artifact_routes(workspace())); }

  Answer put(const std::string& path, const std::string& bytes) {
    Request request = request_of(Verb::put, path);
    request.uploaded = workspace().root() / "incoming";
    write_file_atomically(request.uploaded, bytes);
    Answer answer = send(std::move(request));
    return answer;
  }
  Answer put_artifact(const std::string& path, const std::string& bytes) { return put(proxy + path, bytes); }
  Answer read(const std::string& path) { return get(proxy + path); }
  Answer remove(const std::string& path) { return send(request_of(Verb::del, proxy + path)); }
  Answer listed(const std::string& path) { return get("/api/2.0/mlflow-artifacts/artifacts", {{"path", path}}); }

  void make_run(const std::string& run_id, const std::string& artifact_uri = "") {
    NewRun run;
    run.run_id = run_id;
    run.experiment_id = "0";
    run.artifact_uri = artifact_uri;
    store().create_run(run);
  }

  static std::string bytes_of(const Answer& answer) { return read_file(answer.reply.file); }
  static std::string header(const Answer& answer, const std::string& name) {
    for (const auto& [key, value] : answer.reply.headers) {
      if (key == name) return value;
    }
    return "";
  }
  const std::string proxy = "/api/2.0/mlflow-artifacts/artifacts/";
};

TEST_F(ArtifactRoutes, AFileIsReadBackAsItWasPut) {
  EXPECT_EQ(put_artifact("0/r/artifacts/deep/er/x.txt", "hello").status, 200);
  const Answer answer = read("0/r/artifacts/deep/er/x.txt");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(bytes_of(answer), "hello");
  EXPECT_EQ(answer.reply.content_type, "text/plain");
  EXPECT_EQ(header(answer, "Content-Disposition"), "attachment; filename=x.txt");
  EXPECT_EQ(header(answer, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(read_file(workspace().run("r").outputs() / "deep" / "er" / "x.txt"), "hello");
  put_artifact("0/r/artifacts/deep/er/x.txt", "again");
  EXPECT_EQ(bytes_of(get("/ajax-api/2.0/mlflow-artifacts/artifacts/0/r/artifacts/deep/er/x.txt")), "again");
}

TEST_F(ArtifactRoutes, WhatCantBeStoredSaysWhy) {
  put_artifact("folder/file", "x");
  for (const char* path : {"", "folder/", "folder", "folder/file/below", "../x", "a//b"}) {
    EXPECT_EQ(put_artifact(path, "x").status, 400) << path;
  }
  EXPECT_EQ(put_artifact("../x", "x").message(), "Invalid path");
  EXPECT_EQ(put_artifact("a/", "x").message(), "Artifact path must include a filename (cannot end with '/').");
  EXPECT_EQ(bytes_of(read("folder/file")), "x");
}

TEST_F(ArtifactRoutes, FoldersAndWhatIsNotThereAreNotRead) {
  put_artifact("folder/file", "x");
  EXPECT_EQ(read("folder").message(), "Artifact path refers to a directory, not a file: 'folder'");
  EXPECT_EQ(read("folder").error_code(), "INVALID_PARAMETER_VALUE");
  EXPECT_EQ(read("none").message(), "No such artifact: 'none'");
  EXPECT_EQ(read("none").status, 404);
  EXPECT_EQ(read("../history.db").error_code(), "INVALID_PARAMETER_VALUE");
}

TEST_F(ArtifactRoutes, AListHasNamesFromTheFolderThatWasAskedFor) {
  put_artifact("0/r/artifacts/m/weights", "12345");
  put_artifact("0/r/artifacts/top.txt", "1");
  EXPECT_EQ(listed("0/r/artifacts").json, json::parse(R"({"files": [{"path": "m", "is_dir": true},
      {"path": "top.txt", "is_dir": false, "file_size": 1}]})"));
  EXPECT_EQ(listed("0/r/artifacts/m/").json,
            json::parse(R"({"files": [{"path": "weights", "is_dir": false, "file_size": 5}]})"));
  EXPECT_EQ(listed("0/r/artifacts/top.txt").json, json::object());
  EXPECT_EQ(listed("none").json, json::object());
  EXPECT_EQ(listed("").json, json::object());
  EXPECT_EQ(listed("../").status, 400);
}

TEST_F(ArtifactRoutes, FilesAndFoldersAreDeletedAndLinksNotFollowed) {
  put_artifact("0/r/artifacts/m/weights", "1");
  put_artifact("0/r/artifacts/kept", "1");
  fs::create_symlink("kept", workspace().run("r").outputs() / "link");
  EXPECT_EQ(remove("0/r/artifacts/link").json, json::object());
  EXPECT_EQ(remove("0/r/artifacts/m").json, json::object());
  EXPECT_EQ(remove("0/r/artifacts/m").json, json::object());
  EXPECT_EQ(listed("0/r/artifacts").json,
            json::parse(R"({"files": [{"path": "kept", "is_dir": false, "file_size": 1}]})"));
  EXPECT_EQ(remove("").status, 400);
  EXPECT_EQ(remove("../runs").status, 400);
}

TEST_F(ArtifactRoutes, OfARunAreListedAndReadByItsId) {
  make_run("r");
  put_artifact("0/r/artifacts/m/model.pkl", "12");
  EXPECT_EQ(get("artifacts/list", {{"run_id", "r"}}).json, json::parse(R"({
      "root_uri": "mlflow-artifacts:/0/r/artifacts", "files": [{"path": "m", "is_dir": true}]})"));
  EXPECT_EQ(get("artifacts/list", {{"run_uuid", "r"}, {"path", "m"}}).json, json::parse(R"({
      "root_uri": "mlflow-artifacts:/0/r/artifacts",
      "files": [{"path": "m/model.pkl", "is_dir": false, "file_size": 2}]})"));
  EXPECT_EQ(get("artifacts/list", {{"run_id", "r"}, {"path", "m/model.pkl"}}).json,
            json::parse(R"({"root_uri": "mlflow-artifacts:/0/r/artifacts"})"));
  EXPECT_EQ(get("artifacts/list", {{"run_id", "r"}, {"path", "../x"}}).message(), "Invalid path");
  EXPECT_EQ(get("artifacts/list", {{"run_id", "r"}, {"path", "/etc"}}).message(), "Invalid path");
  EXPECT_EQ(get("artifacts/list", {}).message(),
            "Missing value for required parameter 'run_id'. See the API docs for more information about request "
            "parameters.");
  EXPECT_EQ(get("artifacts/list", {{"run_id", "nope"}}).error_code(), "RESOURCE_DOES_NOT_EXIST");

  EXPECT_EQ(bytes_of(get("/get-artifact", {{"run_uuid", "r"}, {"path", "m/model.pkl"}})), "12");
  EXPECT_EQ(bytes_of(get("/get-artifact", {{"run_id", "r"}, {"path", "m/model.pkl"}})), "12");
  EXPECT_EQ(get("/get-artifact", {{"run_id", "r"}, {"path", "m"}}).status, 400);
  EXPECT_EQ(get("/get-artifact", {{"run_id", "r"}, {"path", "/etc/passwd"}}).message(), "Invalid path");
  EXPECT_EQ(get("/get-artifact", {{"run_id", "r"}}).status, 400);
  EXPECT_EQ(get("/get-artifact", {{"run_id", "nope"}, {"path", "x"}}).status, 404);
}

TEST_F(ArtifactRoutes, OfARunThatLockstepMadeAreThoseOfItsFolder) {
  make_run("made-here", "file://" + workspace().run("made-here").outputs().string());
  workspace().run("made-here").create();
  write_file_atomically(workspace().run("made-here").output("model.bin"), "12");
  EXPECT_EQ(get("artifacts/list", {{"run_id", "made-here"}}).json["root_uri"],
            "mlflow-artifacts:/0/made-here/artifacts");
  EXPECT_EQ(bytes_of(get("/get-artifact", {{"run_id", "made-here"}, {"path", "model.bin"}})), "12");
}

TEST_F(ArtifactRoutes, ThatLieElsewhereAreNotServed) {
  make_run("r1", "s3://bucket/r1");
  make_run("r2", "file:///etc");
  for (const char* run : {"r1", "r2"}) {
    EXPECT_EQ(get("artifacts/list", {{"run_id", run}}).status, 501) << run;
    EXPECT_EQ(get("/get-artifact", {{"run_id", run}, {"path", "passwd"}}).status, 501) << run;
  }
}

TEST_F(ArtifactRoutes, ThePageUploadsToARun) {
  make_run("r");
  const auto upload = [this](std::vector<KeyValue> query, const std::string& body) {
    Request request = request_of(Verb::post, "/ajax-api/2.0/mlflow/upload-artifact");
    request.query = std::move(query);
    request.content_type = "text/plain";
    request.body = body;
    return send(std::move(request));
  };
  EXPECT_EQ(upload({{"run_uuid", "r"}, {"path", "up/x.txt"}}, "hi").status, 200);
  EXPECT_EQ(read_file(workspace().run("r").output("up") / "x.txt"), "hi");
  EXPECT_EQ(upload({}, "hi").message(), "Request must specify run_uuid.");
  EXPECT_EQ(upload({{"run_uuid", "r"}}, "hi").message(), "Request must specify path.");
  EXPECT_EQ(upload({{"run_uuid", "r"}, {"path", "y"}}, "").message(), "Request must specify data.");
  EXPECT_EQ(upload({{"run_uuid", "r"}, {"path", "../y"}}, "hi").message(), "Invalid path");
  EXPECT_EQ(upload({{"run_uuid", "no"}, {"path", "y"}}, "hi").status, 404);
  EXPECT_EQ(upload({{"run_uuid", "r"}, {"path", "y"}}, std::string(10 * 1024 * 1024 + 1, 'x')).message(),
            "Artifact size is too large. Max size is 10MB.");
}

// As MLflow 3.17.2 answers.
TEST(ArtifactFiles, HaveMlflowsMediaTypes) {
  for (const auto& [name, type] :
       std::vector<std::pair<std::string, std::string>>{{"a.txt", "text/plain"},
                                                        {"b.json", "text/plain"},
                                                        {"MLmodel", "text/plain"},
                                                        {"x.bin", "application/octet-stream"},
                                                        {"p.png", "image/png"},
                                                        {"x.PNG", "image/png"},
                                                        {"x.tar.gz", "application/x-tar"},
                                                        {"x.html", "text/html"},
                                                        {"x.svg", "image/svg+xml"},
                                                        {"x.csv", "text/plain"},
                                                        {"x.parquet", "application/octet-stream"},
                                                        {".bashrc", "application/octet-stream"},
                                                        {"日本", "application/octet-stream"},
                                                        {"x.gz", "application/octet-stream"}}) {
    EXPECT_EQ(media_type_of(name), type) << name;
  }
}

TEST(ArtifactFiles, AreSavedUnderTheirNames) {
  EXPECT_EQ(attachment("x.txt"), "attachment; filename=x.txt");
  EXPECT_EQ(attachment("sp ace\"q.html"), "attachment; filename=\"sp ace\\\"q.html\"");
  EXPECT_EQ(attachment("日本"), "attachment; filename=download; filename*=UTF-8''%E6%97%A5%E6%9C%AC");
  EXPECT_EQ(attachment("hé.txt"), "attachment; filename=h.txt; filename*=UTF-8''h%C3%A9.txt");
}

TEST(ArtifactUris, OfTheWorkspaceAreServedAndOthersStay) {
  history::Run run;
  run.run_id = "abc";
  run.experiment_id = "3";
  EXPECT_EQ(artifact_uri_of(run), "mlflow-artifacts:/3/abc/artifacts");
  run.artifact_uri = "file:///home/me/.lockstep/runs/abc/outputs";
  EXPECT_EQ(artifact_uri_of(run), "mlflow-artifacts:/3/abc/artifacts");
  for (const char* uri : {"file:///home/me/.lockstep/runs/abd/outputs", "s3://b/x", "mlflow-artifacts:/other/place"}) {
    run.artifact_uri = uri;
    EXPECT_EQ(artifact_uri_of(run), uri);
  }
  Experiment experiment;
  experiment.experiment_id = "3";
  EXPECT_EQ(artifact_location_of(experiment), "mlflow-artifacts:/3");
  experiment.artifact_location = "s3://b";
  EXPECT_EQ(artifact_location_of(experiment), "s3://b");
}

TEST(ArtifactUris, LeadToPaths) {
  for (const char* uri : {"mlflow-artifacts:/0/r/artifacts", "mlflow-artifacts:///0/r/artifacts",
                          "mlflow-artifacts://host:5000/0/r/artifacts",
                          "http://host:5000/api/2.0/mlflow-artifacts/artifacts/0/r/artifacts"}) {
    EXPECT_EQ(path_of_artifact_uri(uri), "0/r/artifacts") << uri;
  }
  EXPECT_EQ(path_of_artifact_uri("mlflow-artifacts://host"), "");
  for (const char* uri : {"s3://b/x", "file:///etc", "/etc", "http://elsewhere/x", ""}) {
    EXPECT_THROW(path_of_artifact_uri(uri), MlflowError) << uri;
  }
}

}  // namespace
}  // namespace lockstep::history::server::mlflow
