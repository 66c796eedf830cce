// /api/v1 without a network, over a workspace with a job as `lockstep run` leaves it.
#pragma once

#include "api/routes.hpp"
#include "common/file.hpp"
#include "tests/unit/server/api_rig.hpp"

namespace lockstep::api {

class JobRig : public history::server::ApiRig {
 protected:
  void SetUp() override {
    serve(all_routes(workspace()));
    make_job("job");
  }
  void make_job(const std::string& name, const std::string& parent = "") {
    history::NewRun run;
    run.run_id = name;
    run.experiment_id = "0";
    run.parent_run_id = parent;
    store().create_run(run);
    folder(name).create();
  }
  RunFolder folder(const std::string& name = "job") const { return workspace().run(name); }
  void write_log(const std::string& name, const std::string& text) {
    const fs::path file = folder().logs() / name;
    fs::create_directories(file.parent_path());
    write_file_atomically(file, text);
  }
  nlohmann::json v1(const std::string& path, std::vector<history::KeyValue> query = {}) {
    const auto answer = get("/api/v1/" + path, std::move(query));
    EXPECT_EQ(answer.status, 200) << path << ": " << answer.reply.body;
    return answer.json;
  }
  std::string mistake(const std::string& path, std::vector<history::KeyValue> query = {}) {
    const auto answer = get("/api/v1/" + path, std::move(query));
    EXPECT_GE(answer.status, 400) << path << ": " << answer.reply.body;
    return answer.message();
  }
};

}  // namespace lockstep::api
