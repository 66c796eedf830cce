#include "history/server/mlflow/model_source.hpp"
#include "history/server/mlflow/registry_replies.hpp"
#include "history/server/mlflow/version_number.hpp"

namespace lockstep::history::server::mlflow {

namespace {

struct VersionName {
  std::string name;
  int version = 0;
};

VersionName version_in(const Fields& fields, bool required = true) {
  const std::string name = required ? fields.required_text("name") : fields.text("name");
  const std::string text = required ? fields.required_text("version") : fields.text("version");
  return {name, version_number(name, text)};
}

Work create_version(const Request& request) {
  const Fields fields(request);
  NewModelVersion version{.name = fields.required_text("name"),
                          .source = fields.required_text("source"),
                          .storage_location = {},
                          .run_id = fields.text("run_id"),
                          .model_id = fields.text("model_id"),
                          .run_link = fields.text("run_link"),
                          .description = fields.text("description"),
                          .user_id = {},
                          .tags = fields.key_values("tags")};
  const SourceOwners given{.run = fields.has("run_id"), .model = fields.has("model_id")};
  return [version, given](Store& store) {
    const ModelVersion created = store.create_model_version(with_checked_source(store, version, given));
    if (!created.model_id.empty()) tell_logged_model(store, created);
    return reply_with(created);
  };
}

Work get_version(const Request& request) {
  return [of = version_in(Fields(request))](Store& store) {
    return reply_with(store.get_model_version(of.name, of.version));
  };
}

Work update_version(const Request& request) {
  const Fields fields(request);
  return [of = version_in(fields), description = fields.text("description")](Store& store) {
    return reply_with(store.describe_model_version(of.name, of.version, description));
  };
}

Work transition_stage(const Request& request) {
  const Fields fields(request);
  return [of = version_in(fields), stage = fields.required_text("stage"),
          archive_existing = fields.boolean("archive_existing_versions")](Store& store) {
    return reply_with(store.move_model_version(of.name, of.version, stage, archive_existing));
  };
}

Work delete_version(const Request& request) {
  return [of = version_in(Fields(request))](Store& store) {
    store.delete_model_version(of.name, of.version);
    return empty_reply();
  };
}

Work search_versions(const Request& request) {
  return [search = search_in(Fields(request), Kind::model_versions, 200'000, 200'000)](Store& store) {
    const ModelVersionPage page = store.search_model_versions(search);
    return list_reply("model_versions", page.versions, page.next_page_token);
  };
}

Work get_download_uri(const Request& request) {
  return [of = version_in(Fields(request), false)](Store& store) {
    JsonText out;
    out.begin_object();
    out.member("artifact_uri", store.get_model_version(of.name, of.version).storage_location);
    out.end_object();
    Reply reply;
    reply.body = out.take();
    return reply;
  };
}

Work set_version_tag(const Request& request) {
  const Fields fields(request);
  const VersionName of = version_in(fields);
  return [of, tag = KeyValue{fields.required_text("key"), fields.text("value")}](Store& store) {
    store.set_model_version_tag(of.name, of.version, tag);
    return empty_reply();
  };
}

Work delete_version_tag(const Request& request) {
  const Fields fields(request);
  return [of = version_in(fields), key = fields.required_text("key")](Store& store) {
    store.delete_model_version_tag(of.name, of.version, key);
    return empty_reply();
  };
}

Work set_alias(const Request& request) {
  const Fields fields(request);
  return [alias = fields.required_text("alias"), of = version_in(fields)](Store& store) {
    store.set_model_alias(of.name, alias, of.version);
    return empty_reply();
  };
}

Work delete_alias(const Request& request) {
  const Fields fields(request);
  return [name = fields.required_text("name"), alias = fields.required_text("alias")](Store& store) {
    store.delete_model_alias(name, alias);
    return empty_reply();
  };
}

Work get_version_by_alias(const Request& request) {
  const Fields fields(request);
  return [name = fields.required_text("name"), alias = fields.required_text("alias")](Store& store) {
    return reply_with(store.get_model_version_by_alias(name, alias));
  };
}

}  // namespace

Reply reply_with(const ModelVersion& version) { return entity_reply("model_version", version); }

void add_model_version_routes(Routes& routes) {
  add_route(routes, Verb::post, "model-versions/create", Access::write, create_version);
  add_route(routes, Verb::get, "model-versions/get", Access::read, get_version);
  add_route(routes, Verb::patch, "model-versions/update", Access::write, update_version);
  add_route(routes, Verb::post, "model-versions/transition-stage", Access::write, transition_stage);
  add_removing_route(routes, Verb::del, "model-versions/delete", delete_version);
  add_route(routes, Verb::get, "model-versions/search", Access::read, search_versions);
  add_route(routes, Verb::get, "model-versions/get-download-uri", Access::read, get_download_uri);
  add_route(routes, Verb::post, "model-versions/set-tag", Access::write, set_version_tag);
  add_route(routes, Verb::del, "model-versions/delete-tag", Access::write, delete_version_tag);
  add_route(routes, Verb::post, "registered-models/alias", Access::write, set_alias);
  add_route(routes, Verb::del, "registered-models/alias", Access::write, delete_alias);
  add_route(routes, Verb::get, "registered-models/alias", Access::read, get_version_by_alias);
}

}  // namespace lockstep::history::server::mlflow
