#include <algorithm>

#include "history/server/mlflow/registry_replies.hpp"
#include "history/store/registry_rules.hpp"

namespace lockstep::history::server::mlflow {

namespace {

Reply registered_model_reply(const RegisteredModel& model) { return entity_reply("registered_model", model); }

Work create_model(const Request& request) {
  const Fields fields(request);
  return [name = fields.required_text("name"), description = fields.text("description"),
          tags = fields.key_values("tags")](Store& store) {
    return registered_model_reply(store.create_registered_model(name, description, tags));
  };
}

Work get_model(const Request& request) {
  return [name = Fields(request).required_text("name")](Store& store) {
    return registered_model_reply(store.get_registered_model(name));
  };
}

Work rename_model(const Request& request) {
  const Fields fields(request);
  return [name = fields.required_text("name"), new_name = fields.required_text("new_name")](Store& store) {
    return registered_model_reply(store.rename_registered_model(name, new_name));
  };
}

Work update_model(const Request& request) {
  const Fields fields(request);
  return [name = fields.required_text("name"), description = fields.text("description")](Store& store) {
    return registered_model_reply(store.describe_registered_model(name, description));
  };
}

Work delete_model(const Request& request) {
  return [name = Fields(request).required_text("name")](Store& store) {
    store.delete_registered_model(name);
    return empty_reply();
  };
}

Work set_model_tag(const Request& request) {
  const Fields fields(request);
  const std::string name = fields.required_text("name");
  return [name, tag = KeyValue{fields.required_text("key"), fields.text("value")}](Store& store) {
    store.set_registered_model_tag(name, tag);
    return empty_reply();
  };
}

Work delete_model_tag(const Request& request) {
  const Fields fields(request);
  return [name = fields.required_text("name"), key = fields.required_text("key")](Store& store) {
    store.delete_registered_model_tag(name, key);
    return empty_reply();
  };
}

// The newest version of each of these stages, or of all.
Work get_latest_versions(const Request& request) {
  const Fields fields(request);
  const std::string name = fields.required_text("name");
  return [name, stages = fields.texts("stages")](Store& store) {
    RegisteredModel model = store.get_registered_model(name);
    std::vector<std::string> wanted;
    for (const auto& stage : stages) wanted.push_back(registry_rules::canonical_stage(stage));
    const auto unwanted = [&wanted](const ModelVersion& version) {
      return !wanted.empty() && std::find(wanted.begin(), wanted.end(), version.stage) == wanted.end();
    };
    std::erase_if(model.latest_versions, unwanted);
    for (auto& version : model.latest_versions) {
      for (const auto& each : model.aliases) {
        if (each.version == version.version) version.aliases.push_back(each.alias);
      }
    }
    return list_reply("model_versions", model.latest_versions);
  };
}

Work search_models(const Request& request) {
  return [search = search_in(Fields(request), Kind::registered_models, 100, 1000)](Store& store) {
    const RegisteredModelPage page = store.search_registered_models(search);
    return list_reply("registered_models", page.models, page.next_page_token);
  };
}

}  // namespace

Routes registry_routes() {
  Routes all;
  add_route(all, Verb::post, "registered-models/create", Access::write, create_model);
  add_route(all, Verb::get, "registered-models/get", Access::read, get_model);
  add_removing_route(all, Verb::post, "registered-models/rename", rename_model);
  add_route(all, Verb::patch, "registered-models/update", Access::write, update_model);
  add_removing_route(all, Verb::del, "registered-models/delete", delete_model);
  add_route(all, Verb::get, "registered-models/search", Access::read, search_models);
  add_route(all, Verb::post, "registered-models/set-tag", Access::write, set_model_tag);
  add_route(all, Verb::del, "registered-models/delete-tag", Access::write, delete_model_tag);
  add_route(all, Verb::get, "registered-models/get-latest-versions", Access::read, get_latest_versions);
  add_route(all, Verb::post, "registered-models/get-latest-versions", Access::read, get_latest_versions);
  add_model_version_routes(all);
  return all;
}

}  // namespace lockstep::history::server::mlflow
