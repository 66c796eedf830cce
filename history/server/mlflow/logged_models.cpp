#include "common/uuid.hpp"
#include "history/search/filter.hpp"
#include "history/server/mlflow/artifact_uris.hpp"
#include "history/server/mlflow/entities.hpp"
#include "history/server/mlflow/error.hpp"
#include "history/server/mlflow/fields.hpp"
#include "history/server/mlflow/replies.hpp"
#include "history/server/mlflow/routes.hpp"
#include "history/store/run_name.hpp"

namespace lockstep::history::server::mlflow {

using nlohmann::json;

static Reply logged_model_reply(const LoggedModel& model) { return entity_reply("model", model); }

static Work create_logged(const Request& request) {
  const Fields fields(request);
  NewLoggedModel model{.model_id = "m-" + ordered_uuid(),
                       .experiment_id = fields.required_text("experiment_id"),
                       .name = fields.text("name"),
                       .artifact_uri = {},
                       .model_type = fields.text("model_type"),
                       .source_run_id = fields.text("source_run_id"),
                       .params = fields.key_values("params"),
                       .tags = fields.key_values("tags")};
  if (model.name.empty()) model.name = generate_run_name().run_id;
  return [model = std::move(model)](Store& store) mutable {
    const Experiment experiment = store.get_experiment_by_id(model.experiment_id);
    model.artifact_uri =
        fmt::format("{}/models/{}/artifacts", without_slash_after(artifact_location_of(experiment)), model.model_id);
    return logged_model_reply(store.create_logged_model(model));
  };
}

static Work get_logged(const Request& request) {
  return [id = request.captured.at(0)](Store& store) { return logged_model_reply(store.get_logged_model(id)); };
}

// By name or by number, as in every enum of protobuf's JSON.
static LoggedModelStatus status_of(const Fields& fields) {
  if (!fields.has("status")) missing_value("status");
  const json& status = fields.object()["status"];
  if (status == "LOGGED_MODEL_PENDING" || status == 1) return LoggedModelStatus::pending;
  if (status == "LOGGED_MODEL_READY" || status == 2) return LoggedModelStatus::ready;
  if (status == "LOGGED_MODEL_UPLOAD_FAILED" || status == 3) return LoggedModelStatus::failed;
  invalid_value("status", status, "LOGGED_MODEL_PENDING, LOGGED_MODEL_READY or LOGGED_MODEL_UPLOAD_FAILED");
}

// The model is named in the path and in the body; MLflow insists on both.
static std::string named_model(const Request& request, const Fields& fields) {
  std::string id = fields.required_text("model_id");
  if (id != request.captured.at(0)) {
    throw invalid_parameter("The path names the model '{}', the body '{}'", request.captured.at(0), id);
  }
  return id;
}

static Work finish(const Request& request) {
  const Fields fields(request);
  return [id = named_model(request, fields), status = status_of(fields)](Store& store) {
    return logged_model_reply(store.finish_logged_model(id, status));
  };
}

static Work delete_logged(const Request& request) {
  return [id = request.captured.at(0)](Store& store) {
    store.delete_logged_model(id);
    return empty_reply();
  };
}

static Work set_tags(const Request& request) {
  return [id = request.captured.at(0), tags = Fields(request).key_values("tags")](Store& store) {
    store.set_logged_model_tags(id, tags);
    return empty_reply();
  };
}

static Work delete_logged_tag(const Request& request) {
  return [id = request.captured.at(0), key = request.captured.at(1)](Store& store) {
    store.delete_logged_model_tag(id, key);
    return empty_reply();
  };
}

static Work log_params(const Request& request) {
  const Fields fields(request);
  return [id = named_model(request, fields), params = fields.key_values("params")](Store& store) {
    store.log_logged_model_params(id, params);
    return empty_reply();
  };
}

static std::string text_of(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return {};
  if (!found->is_string()) invalid_value(name, *found, "it must be a string");
  return found->get<std::string>();
}

static std::vector<KeyValue> datasets_of(const Fields& fields) {
  std::vector<KeyValue> datasets;
  for (const json& each : fields.objects("datasets")) {
    datasets.push_back({text_of(each, "dataset_name"), text_of(each, "dataset_digest")});
    if (datasets.back().key.empty()) {
      throw invalid_parameter("`dataset_name` in the `datasets` clause must be specified.");
    }
  }
  return datasets;
}

static std::vector<SortKey> order_of(const Fields& fields) {
  std::vector<SortKey> order;
  for (const json& each : fields.objects("order_by")) {
    const auto ascending = each.find("ascending");
    const bool is_set = ascending != each.end() && !ascending->is_null();
    if (is_set && !ascending->is_boolean()) invalid_value("ascending", *ascending, "it must be true or false");
    SortKey key = logged_model_sort_key(text_of(each, "field_name"), !is_set || ascending->get<bool>());
    key.dataset_name = text_of(each, "dataset_name");
    key.dataset_digest = text_of(each, "dataset_digest");
    order.push_back(std::move(key));
  }
  if (order.size() > most_sort_keys) throw invalid_parameter("order_by may have {} fields at most", most_sort_keys);
  return order;
}

static Work search(const Request& request) {
  constexpr int by_default = 100;
  const Fields fields(request);
  if (!fields.has("experiment_ids")) missing_value("experiment_ids");
  Search wanted{.experiment_ids = fields.texts("experiment_ids"),
                .clauses = parse_filter(Kind::logged_models, fields.text("filter")),
                .order = order_of(fields),
                .datasets = datasets_of(fields),
                .page_token = fields.text("page_token")};
  const bool has_limit = fields.integer("max_results").value_or(0) != 0;
  wanted.max_results = has_limit ? fields.max_results(by_default, 50'000) : by_default;
  return [wanted = std::move(wanted)](Store& store) {
    const LoggedModelPage page = store.search_logged_models(wanted);
    return list_reply("models", page.models, page.next_page_token);
  };
}

// Those of a model's artifacts are with the other artifacts, in artifacts.cpp.
Routes logged_model_routes() {
  Routes routes;
  add_route(routes, Verb::post, "logged-models", Access::write, create_logged);
  add_route(routes, Verb::post, "logged-models/search", Access::read, search);
  add_route(routes, Verb::get, "logged-models/{model_id}", Access::read, get_logged);
  add_route(routes, Verb::patch, "logged-models/{model_id}", Access::write, finish);
  add_removing_route(routes, Verb::del, "logged-models/{model_id}", delete_logged);
  add_route(routes, Verb::patch, "logged-models/{model_id}/tags", Access::write, set_tags);
  add_route(routes, Verb::del, "logged-models/{model_id}/tags/{key}", Access::write, delete_logged_tag);
  add_route(routes, Verb::post, "logged-models/{model_id}/params", Access::write, log_params);
  return routes;
}

}  // namespace lockstep::history::server::mlflow
