#include "runner/checkpoint/manifest.hpp"

#include <nlohmann/json.hpp>

#include "common/error.hpp"

namespace lockstep::runner {

using Json = nlohmann::ordered_json;

static constexpr const char* format_name = "lockstep-checkpoint";
static constexpr int format_version = 1;

std::string write_manifest(const Manifest& manifest) {
  const TrainingPosition& position = manifest.facts.position;
  Json json = {{"format", format_name},
               {"version", format_version},
               {"step", position.step},
               {"epoch_loss_sum", position.epoch_loss_sum},  // printed so that it reads back as the same double
               {"epoch_images", position.epoch_images},
               {"ranks", manifest.facts.ranks},
               {"identity", manifest.facts.identity},
               {"options", manifest.facts.options},
               {"files", Json::object()}};
  if (!manifest.facts.isa_used.empty()) json["isa_used"] = manifest.facts.isa_used;
  for (const auto& [name, facts] : manifest.files) {
    json["files"][name] = {{"bytes", facts.bytes}, {"sha256", facts.sha256}};
  }
  return json.dump(2) + "\n";
}

Manifest parse_manifest(const std::string& text, const std::string& name) try {
  const Json json = Json::parse(text);
  if (json.at("format") != format_name) throw failure("{}: not a checkpoint's manifest", name);
  if (json.at("version") != format_version) {
    throw failure("{}: version {}, but this program reads version {}", name, json.at("version").dump(), format_version);
  }
  Manifest manifest;
  CheckpointFacts& facts = manifest.facts;
  json.at("step").get_to(facts.position.step);
  json.at("epoch_loss_sum").get_to(facts.position.epoch_loss_sum);
  json.at("epoch_images").get_to(facts.position.epoch_images);
  json.at("ranks").get_to(facts.ranks);
  if (json.contains("isa_used")) json.at("isa_used").get_to(facts.isa_used);
  json.at("identity").get_to(facts.identity);
  json.at("options").get_to(facts.options);
  for (const auto& [file, about] : json.at("files").items()) {
    manifest.files[file] = {about.at("bytes").get<std::uint64_t>(), about.at("sha256").get<std::string>()};
  }
  if (facts.position.step < 0) throw failure("{}: a negative step", name);
  for (const char* file : {model_file, optimizer_file}) {
    if (!manifest.files.contains(file)) throw failure("{}: does not list {}", name, file);
  }
  return manifest;
} catch (const Json::exception& error) {
  throw failure("{}: damaged: {}", name, error.what());
}

}  // namespace lockstep::runner
