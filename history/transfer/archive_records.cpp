#include "history/transfer/archive_records.hpp"

#include "common/error.hpp"
#include "history/transfer/archive_lines.hpp"
#include "history/transfer/archive_writer.hpp"
#include "history/transfer/json_members.hpp"

namespace lockstep::history::transfer {

namespace dom = simdjson::dom;

namespace {
constexpr std::size_t deepest = 16;

RunState state(JsonMembers& json) {
  const std::string word = json.needed_text("state");
  const auto state = state_named(word);
  if (!state) json.fail(fmt::format("'{}' is no state of a run", word));
  return *state;
}

Lifecycle lifecycle(JsonMembers& json) {
  const std::string word = json.text("lifecycle");
  if (word == name_of(Lifecycle::archived)) return Lifecycle::archived;
  if (!word.empty() && word != name_of(Lifecycle::active)) json.fail("'lifecycle' must be 'active' or 'archived'");
  return Lifecycle::active;
}

// Calls `read` with the members of each element of the list.
template <class Read>
void each_of(JsonMembers& json, const char* name, const Read& read) {
  const auto list = json.list(name);
  if (!list) return;
  for (const dom::element element : *list) {
    JsonMembers members(name, element);
    read(members);
    members.end();
  }
}

Experiment experiment(JsonMembers& json) {
  Experiment experiment;
  experiment.experiment_id = json.needed_text("experiment_id");
  experiment.name = json.needed_text("name");
  experiment.artifact_location = json.text("artifact_location");
  experiment.lifecycle = lifecycle(json);
  experiment.created_ms = json.integer("created_ms");
  experiment.updated_ms = json.integer("updated_ms");
  experiment.tags = json.pairs("tags");
  return experiment;
}

Run run_fields(JsonMembers& json) {
  Run run;
  run.run_id = json.needed_text("run_id");
  run.experiment_id = json.needed_text("experiment_id");
  run.parent_run_id = json.text("parent_run_id");
  run.display_name = json.text("display_name");
  run.user_id = json.text("user_id");
  run.artifact_uri = json.text("artifact_uri");
  run.compute = json.text("compute");
  run.state = state(json);
  run.outcome = {json.text("reason"), json.small_integer("exit_code"), json.small_integer("signal"),
                 json.small_integer("first_failed_rank")};
  run.lifecycle = lifecycle(json);
  run.created_ms = json.integer("created_ms");
  run.started_ms = json.integer("started_ms");
  run.ended_ms = json.integer("ended_ms");
  run.epoch = json.integer("epoch");
  run.reported = json.truth("reported");
  return run;
}

std::vector<ModelUse> uses(JsonMembers& json, const char* name) {
  std::vector<ModelUse> all;
  each_of(json, name, [&](JsonMembers& use) { all.push_back({use.needed_text("model_id"), use.integer("step")}); });
  return all;
}

ImportedRun run(JsonMembers& json) {
  ImportedRun given;
  given.run.run = run_fields(json);
  each_of(json, "states", [&](JsonMembers& change) {
    given.states.push_back({state(change), change.integer("timestamp_ms"), change.text("reason")});
  });
  given.run.params = json.pairs("params");
  given.run.tags = json.pairs("tags");
  each_of(json, "datasets", [&](JsonMembers& input) {
    given.run.datasets.push_back({{input.text("name"), input.text("digest"), input.text("source_type"),
                                   input.text("source"), input.text("schema"), input.text("profile")},
                                  input.pairs("tags")});
  });
  given.run.models_in = uses(json, "models_in");
  given.run.models_out = uses(json, "models_out");
  return given;
}

// Fills one column of the points; the first one says how many there are.
template <class Take>
void column(JsonMembers& json, const char* name, std::vector<Metric>& points, bool first, const Take& take) {
  const auto list = json.list(name);
  if (!list) json.fail(fmt::format("'{}' is missing", name));
  std::size_t at = 0;
  for (const dom::element element : *list) {
    if (at == longest_piece) json.fail(fmt::format("more than {} points in a line", longest_piece));
    if (first) points.emplace_back();
    if (at == points.size()) break;
    if (!take(element, points[at])) json.fail(fmt::format("element {} of '{}' is no such number", at, name));
    ++at;
  }
  if (at != points.size() || list->size() != points.size()) json.fail("its lists differ in length");
}

SeriesPiece series(JsonMembers& json) {
  SeriesPiece piece{json.needed_text("run_id"), json.needed_text("key"), {}};
  column(json, "steps", piece.points, true,
         [](dom::element each, Metric& point) { return each.get(point.step) == simdjson::SUCCESS; });
  column(json, "timestamps", piece.points, false,
         [](dom::element each, Metric& point) { return each.get(point.timestamp_ms) == simdjson::SUCCESS; });
  column(json, "values", piece.points, false, [](dom::element each, Metric& point) {
    const auto value = number_of(each);
    point.value = value.value_or(0);
    return value.has_value();
  });
  return piece;
}

ModelVersion version(JsonMembers& json, const std::string& name) {
  ModelVersion version;
  version.name = name;
  version.version = json.small_integer("version").value_or(0);
  version.created_ms = json.integer("created_ms");
  version.updated_ms = json.integer("updated_ms");
  version.user_id = json.text("user_id");
  version.stage = json.text("stage");
  if (version.stage.empty()) version.stage = "None";
  version.description = json.text("description");
  version.source = json.text("source");
  version.storage_location = json.text("storage_location");
  version.run_id = json.text("run_id");
  version.model_id = json.text("model_id");
  version.run_link = json.text("run_link");
  version.tags = json.pairs("tags");
  return version;
}

ImportedModel registered_model(JsonMembers& json) {
  ImportedModel given;
  given.model.name = json.needed_text("name");
  given.model.description = json.text("description");
  given.model.created_ms = json.integer("created_ms");
  given.model.updated_ms = json.integer("updated_ms");
  given.newest_version = json.small_integer("newest_version").value_or(0);
  given.model.tags = json.pairs("tags");
  if (const auto aliases = json.object("aliases")) {
    for (const dom::key_value_pair& each : *aliases) {
      std::int64_t number = 0;
      if (each.value.get(number) != simdjson::SUCCESS || number != static_cast<int>(number)) {
        json.fail(fmt::format("the alias '{}' must name a version", each.key));
      }
      given.model.aliases.push_back({std::string(each.key), static_cast<int>(number)});
    }
  }
  each_of(json, "versions", [&](JsonMembers& each) { given.versions.push_back(version(each, given.model.name)); });
  return given;
}

LoggedModelStatus status(JsonMembers& json) {
  const std::string word = json.needed_text("status");
  for (const auto each : {LoggedModelStatus::pending, LoggedModelStatus::ready, LoggedModelStatus::failed}) {
    if (word == name_of(each)) return each;
  }
  json.fail("'status' must be 'pending', 'ready' or 'failed'");
}

LoggedModel logged_model(JsonMembers& json) {
  LoggedModel model;
  model.model_id = json.needed_text("model_id");
  model.experiment_id = json.needed_text("experiment_id");
  model.name = json.text("name");
  model.artifact_uri = json.text("artifact_uri");
  model.model_type = json.text("model_type");
  model.source_run_id = json.text("source_run_id");
  model.status = status(json);
  model.status_message = json.text("status_message");
  model.created_ms = json.integer("created_ms");
  model.updated_ms = json.integer("updated_ms");
  model.params = json.pairs("params");
  model.tags = json.pairs("tags");
  each_of(json, "metrics", [&](JsonMembers& each) {
    model.metrics.push_back(
        {{each.needed_text("key"), each.number("value"), each.integer("timestamp_ms"), each.integer("step")},
         each.text("run_id"),
         each.text("dataset_name"),
         each.text("dataset_digest")});
  });
  return model;
}

Counts counts(JsonMembers& json) {
  return {json.integer("experiments"), json.integer("runs"), json.integer("points"), json.integer("models")};
}

FirstLine first(dom::element line) {
  JsonMembers json("the first line", line);
  const auto version = json.small_integer("lockstep_history");
  if (version != archive_version) {
    json.fail(fmt::format("this lockstep reads version {} of archives; a newer one wrote this", archive_version));
  }
  const FirstLine first{json.integer("exported_ms")};
  json.end();
  return first;
}

template <class Read>
Record read(const char* kind, dom::element element, const Read& read_members) {
  JsonMembers json(kind, element);
  Record record = read_members(json);
  json.end();
  return record;
}
}  // namespace

RecordParser::RecordParser() {
  if (parser_.allocate(1 << 16, deepest) != simdjson::SUCCESS) throw failure("no memory for reading an archive");
}

Record RecordParser::parse(std::string_view line) {
  dom::element top;
  if (const auto code = parser_.parse(line.data(), line.size()).get(top); code != simdjson::SUCCESS) {
    throw bad_input("no JSON: {}", simdjson::error_message(code));
  }
  dom::object object;
  if (top.get(object) != simdjson::SUCCESS || object.size() == 0) throw bad_input("each line must be one object");
  const dom::key_value_pair member = *object.begin();
  if (member.key == "lockstep_history") return first(top);
  if (object.size() != 1) throw bad_input("each line has one member");
  const dom::element value = member.value;
  if (member.key == "series") return read("series", value, series);
  if (member.key == "run") return read("run", value, run);
  if (member.key == "experiment") return read("experiment", value, experiment);
  if (member.key == "registered_model") return read("registered_model", value, registered_model);
  if (member.key == "logged_model") return read("logged_model", value, logged_model);
  if (member.key == "end") return read("end", value, counts);
  throw bad_input("unknown kind of line '{}'", member.key.substr(0, 60));
}

}  // namespace lockstep::history::transfer
