#include "history/transfer/mlruns_folders.hpp"

#include <algorithm>
#include <charconv>

#include "common/error.hpp"
#include "history/transfer/mlflow_words.hpp"

namespace lockstep::history::transfer {

fs::path meta_of(const fs::path& folder) { return folder / "meta.yaml"; }

std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> all;
  if (!fs::is_directory(folder)) return all;
  for (const auto& each : fs::directory_iterator(folder)) {
    if (each.is_directory()) all.push_back(each.path());
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::vector<fs::path> folders_with_meta(const fs::path& folder) {
  std::vector<fs::path> all = folders_in(folder);
  std::erase_if(all, [](const fs::path& each) { return !fs::is_regular_file(meta_of(each)); });
  return all;
}

// Links are not followed: what they lead to is nobody's metric.
std::vector<ValueFile> value_files(const fs::path& folder) {
  std::vector<ValueFile> all;
  if (!fs::is_directory(folder)) return all;
  for (const auto& each : fs::recursive_directory_iterator(folder)) {
    if (each.symlink_status().type() != fs::file_type::regular) continue;
    all.push_back({each.path().lexically_relative(folder).generic_string(), each.path()});
  }
  std::sort(all.begin(), all.end(), [](const ValueFile& a, const ValueFile& b) { return a.key < b.key; });
  return all;
}

std::vector<KeyValue> values_in(const fs::path& folder) {
  constexpr std::uint64_t longest = std::uint64_t{1} << 20;
  std::vector<KeyValue> all;
  for (const ValueFile& each : value_files(folder)) all.push_back({each.key, read_file(each.file, longest)});
  return all;
}

Experiment experiment_in(const fs::path& folder) {
  const MetaFile meta = MetaFile::read(meta_of(folder));
  Experiment experiment;
  experiment.experiment_id = meta.text("experiment_id");
  experiment.name = meta.text("name");
  experiment.artifact_location = meta.text("artifact_location");
  experiment.lifecycle = lifecycle_of(meta.text("lifecycle_stage"));
  experiment.created_ms = meta.integer("creation_time");
  experiment.updated_ms = meta.integer("last_update_time");
  experiment.tags = values_in(folder / "tags");
  return experiment;
}

// An id that is a part of a path must be one part of it.
static std::string id_in(const MetaFile& meta, const char* key, const fs::path& file) {
  std::string id = meta.text(key);
  if (id.empty() || id == "." || id == ".." || id.find('/') != std::string::npos) {
    throw bad_input("{}: '{}' should be an id", file.string(), key);
  }
  return id;
}

static void add_inputs(FullRun& run, const fs::path& experiment, const fs::path& folder) {
  for (const fs::path& each : folders_with_meta(folder / "inputs")) {
    const MetaFile input = MetaFile::read(meta_of(each));
    const std::string id = id_in(input, "source_id", meta_of(each));
    if (input.text("source_type") == "MODEL") {
      run.models_in.push_back({id, 0});
      continue;
    }
    const MetaFile dataset = MetaFile::read(meta_of(experiment / "datasets" / id));
    run.datasets.push_back({{dataset.text("name"), dataset.text("digest"), dataset.text("source_type"),
                             dataset.text("source"), dataset.text("schema"), dataset.text("profile")},
                            input.pairs("tags")});
  }
  for (const fs::path& each : folders_with_meta(folder / "outputs")) {
    const MetaFile output = MetaFile::read(meta_of(each));
    run.models_out.push_back({id_in(output, "destination_id", meta_of(each)), output.integer("step")});
  }
}

FullRun run_in(const fs::path& experiment, const fs::path& folder) {
  const MetaFile meta = MetaFile::read(meta_of(folder));
  FullRun run;
  run.run.run_id = meta.text(meta.has("run_id") ? "run_id" : "run_uuid");
  run.run.experiment_id = meta.text("experiment_id");
  run.run.display_name = meta.text(meta.has("run_name") ? "run_name" : "name");
  run.run.user_id = meta.text("user_id");
  run.run.artifact_uri = meta.text("artifact_uri");
  run.run.state = state_of_status(static_cast<int>(meta.integer("status")));
  run.run.lifecycle = lifecycle_of(meta.text("lifecycle_stage"));
  run.run.started_ms = meta.integer("start_time");
  run.run.ended_ms = meta.integer("end_time");
  run.params = values_in(folder / "params");
  run.tags = values_in(folder / "tags");
  add_inputs(run, experiment, folder);
  complete(run);
  return run;
}

LoggedModel logged_model_in(const fs::path& folder) {
  const MetaFile meta = MetaFile::read(meta_of(folder));
  LoggedModel model;
  model.model_id = meta.text("model_id");
  model.experiment_id = meta.text("experiment_id");
  model.name = meta.text("name");
  model.artifact_uri = meta.text("artifact_location");
  model.model_type = meta.text("model_type");
  model.source_run_id = meta.text("source_run_id");
  model.status = logged_model_status(meta.integer("status"));
  model.status_message = meta.text("status_message");
  model.created_ms = meta.integer("creation_timestamp");
  model.updated_ms = meta.integer("last_updated_timestamp");
  model.params = values_in(folder / "params");
  model.tags = values_in(folder / "tags");
  for (const ValueFile& each : value_files(folder / "metrics")) {
    MetricLines lines(each.file);
    while (const auto line = lines.next()) {  // time, value, step, run, and a dataset's name and digest
      const auto word = [&](std::size_t at) {
        return at < line->rest.size() ? std::string(line->rest[at]) : std::string();
      };
      ModelMetric metric{line->metric, word(0), word(1), word(2)};
      metric.metric.key = each.key;
      model.metrics.push_back(std::move(metric));
    }
  }
  return model;
}

static ModelVersion version_in(const fs::path& folder) {
  const MetaFile meta = MetaFile::read(meta_of(folder));
  ModelVersion version;
  version.name = meta.text("name");
  version.version = static_cast<int>(meta.integer("version"));
  version.created_ms = meta.integer("creation_timestamp");
  version.updated_ms = meta.integer("last_updated_timestamp");
  version.user_id = meta.text("user_id");
  version.stage = meta.text("current_stage");
  if (version.stage.empty()) version.stage = "None";
  version.description = meta.text("description");
  version.source = meta.text("source");
  version.storage_location = meta.text("storage_location");
  version.run_id = meta.text("run_id");
  version.model_id = meta.text("model_id");
  version.run_link = meta.text("run_link");
  version.tags = values_in(folder / "tags");
  return version;
}

ImportedModel registered_model_in(const fs::path& folder) {
  const MetaFile meta = MetaFile::read(meta_of(folder));
  ImportedModel given;
  given.model.name = meta.text("name");
  given.model.created_ms = meta.integer("creation_timestamp");
  given.model.updated_ms = meta.integer("last_updated_timestamp");
  given.model.description = meta.text("description");
  given.model.tags = values_in(folder / "tags");
  for (const fs::path& each : folders_with_meta(folder)) {
    ModelVersion version = version_in(each);
    given.newest_version = std::max(given.newest_version, version.version);
    if (version.stage != "Deleted_Internal") given.versions.push_back(std::move(version));
  }
  std::sort(given.versions.begin(), given.versions.end(),
            [](const ModelVersion& a, const ModelVersion& b) { return a.version < b.version; });
  for (const KeyValue& alias : values_in(folder / "aliases")) {
    int number = 0;
    std::from_chars(alias.value.data(), alias.value.data() + alias.value.size(), number);
    given.model.aliases.push_back({alias.key, number});  // 0 is refused as a version that is not there
  }
  return given;
}

MetricFiles::MetricFiles(const fs::path& run) : files_(value_files(run / "metrics")) {}

bool MetricFiles::next(std::string& key, std::vector<Metric>& points) {
  points.clear();
  while (points.empty() && at_ < files_.size()) {
    if (!lines_) lines_ = std::make_unique<MetricLines>(files_[at_].file);
    key = files_[at_].key;
    bool more = true;
    while (more && points.size() < longest_piece) {
      const auto line = lines_->next();
      more = line.has_value();
      if (more) points.push_back(line->metric);
    }
    if (more) continue;
    lines_.reset();
    ++at_;
  }
  return !points.empty();
}

}  // namespace lockstep::history::transfer
