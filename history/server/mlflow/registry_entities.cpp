#include "history/server/mlflow/entities.hpp"

namespace lockstep::history::server::mlflow {

// What proto2's JSON leaves out: lists that are empty.
static void write_tags(JsonText& out, const std::vector<KeyValue>& tags) {
  if (tags.empty()) return;
  out.key("tags");
  write(out, tags);
}

void write(JsonText& out, const ModelVersion& version) {
  out.begin_object();
  out.member("name", version.name);
  out.member("version", std::to_string(version.version));
  out.member("creation_timestamp", version.created_ms);
  out.member("last_updated_timestamp", version.updated_ms);
  out.member_if_set("user_id", version.user_id);
  out.member("current_stage", version.stage);
  out.member("description", version.description);
  out.member("source", version.source);
  out.member("run_id", version.run_id);
  out.member("status", "READY");  // nothing is copied, so it always is
  write_tags(out, version.tags);
  out.member("run_link", version.run_link);
  if (!version.aliases.empty()) {
    out.key("aliases");
    out.begin_array();
    for (const auto& alias : version.aliases) out.value(alias);
    out.end_array();
  }
  out.end_object();
}

static void write_aliases(JsonText& out, const std::vector<ModelAlias>& aliases) {
  if (aliases.empty()) return;
  out.key("aliases");
  out.begin_array();
  for (const auto& each : aliases) {
    out.begin_object();
    out.member("alias", each.alias);
    out.member("version", std::to_string(each.version));
    out.end_object();
  }
  out.end_array();
}

void write(JsonText& out, const RegisteredModel& model) {
  out.begin_object();
  out.member("name", model.name);
  out.member("creation_timestamp", model.created_ms);
  out.member("last_updated_timestamp", model.updated_ms);
  out.member_if_set("description", model.description);
  if (!model.latest_versions.empty()) {
    out.key("latest_versions");
    out.begin_array();
    for (const auto& version : model.latest_versions) write(out, version);
    out.end_array();
  }
  write_tags(out, model.tags);
  write_aliases(out, model.aliases);
  out.end_object();
}

}  // namespace lockstep::history::server::mlflow
