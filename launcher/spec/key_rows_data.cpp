#include "launcher/spec/key_checks.hpp"
#include "launcher/spec/key_rows.hpp"

namespace lockstep::spec {

namespace {

const std::vector<Word>& asset_words() {
  static const auto words = words_of(AssetType::uri_file, AssetType::triton_model);
  return words;
}
const std::vector<Word>& input_mode_words() {
  static const auto words = words_of(InputMode::ro_mount, InputMode::eval_download);
  return words;
}
const std::vector<Word>& output_mode_words() {
  static const auto words = [] {
    auto all = words_of(OutputMode::rw_mount, OutputMode::direct);
    all.push_back({"mount", "rw_mount"});
    return all;
  }();
  return words;
}

}  // namespace

std::vector<KeyRow> data_rows() {
  return {
      {"inputs", mapping, "", "what the job reads; `${{inputs.<name>}}` in the command"},
      {.path = "inputs.*",
       .accepts = text | mapping,
       .fallback = "",
       .help = "a literal (a plain text is one even if it looks like a URL), or a mapping that names data",
       .store =
           [](J& j, N n, V v) {
             Input& input = j.inputs[n];
             input.is_literal = v.is_scalar();
             input.literal = v.text;
           },
       .may_be_empty = true,
       .check = check_identifier},
      {.path = "inputs.*.type",
       .accepts = choice,
       .fallback = "uri_folder",
       .help = "what lies at the path",
       .store = [](J& j, N n, V v) { j.inputs[n].type = from_words(asset_words(), v.text, AssetType::uri_file); },
       .words = asset_words()},
      {"inputs.*.path", text, "", "a local path (relative to the job file), `file:`, or a URL; needed unless optional",
       [](J& j, N n, V v) { j.inputs[n].path = v.text; }},
      {.path = "inputs.*.mode",
       .accepts = choice,
       .fallback = "ro_mount",
       .help = "how it gets to the ranks; the eval_ modes are for mltable",
       .store = [](J& j, N n, V v) { j.inputs[n].mode = from_words(input_mode_words(), v.text, InputMode::ro_mount); },
       .words = input_mode_words()},
      {"inputs.*.optional", boolean, "false",
       "true: may be without a path; `$[[...]]` segments that use it are dropped",
       [](J& j, N n, V v) { j.inputs[n].optional = to_bool(v); }},
      {.path = "inputs.*.value",
       .fallback = "",
       .help = "the long form of a literal; stands alone",
       .store =
           [](J& j, N n, V v) {
             j.inputs[n].is_literal = true;
             j.inputs[n].literal = v.text;
           },
       .may_be_empty = true},
      {"inputs.*.datastore", text, "", "recorded", [](J& j, N n, V v) { j.inputs[n].datastore = v.text; }},
      {"outputs", mapping, "", "what the job writes; `${{outputs.<name>}}` in the command"},
      {.path = "outputs.*",
       .accepts = null | mapping,
       .fallback = "",
       .help = "null: a folder with every default",
       .store = [](J& j, N n, V) { j.outputs[n]; },
       .check = check_identifier},
      {.path = "outputs.*.type",
       .accepts = choice,
       .fallback = "uri_folder",
       .help = "what will lie there",
       .store = [](J& j, N n, V v) { j.outputs[n].type = from_words(asset_words(), v.text, AssetType::uri_file); },
       .words = asset_words()},
      {"outputs.*.path", text, "`outputs/<name>` of the run's folder", "where to write instead",
       [](J& j, N n, V v) { j.outputs[n].path = v.text; }},
      {.path = "outputs.*.mode",
       .accepts = choice,
       .fallback = "rw_mount",
       .help = "how it gets there",
       .store = [](J& j, N n,
                   V v) { j.outputs[n].mode = from_words(output_mode_words(), v.text, OutputMode::rw_mount); },
       .words = output_mode_words()},
      {"outputs.*.name", text, "", "the asset to register it as; recorded",
       [](J& j, N n, V v) { j.outputs[n].asset_name = v.text; }},
      {"outputs.*.version", text, "", "the version to register it as; recorded",
       [](J& j, N n, V v) { j.outputs[n].asset_version = v.text; }},
  };
}

}  // namespace lockstep::spec
