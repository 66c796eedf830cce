#include "launcher/spec/key_checks.hpp"
#include "launcher/spec/key_rows.hpp"

namespace lockstep::spec {

std::vector<KeyRow> environment_rows() {
  return {
      {"environment", text | mapping, "",
       "`azureml:<name>@latest` and the like, or a mapping; recorded: `local` runs in the host's environment",
       [](J& j, N, V v) { j.environment.reference = v.text; }},
      {"environment.image", text, "", "a container image; not together with build",
       [](J& j, N, V v) { j.environment.image = v.text; }},
      {"environment.build", mapping, "", "a container image to build"},
      {.path = "environment.build.path",
       .fallback = "",
       .help = "the build's folder",
       .store = [](J& j, N, V v) { j.environment.build_path = v.text; },
       .required = true},
      {"environment.build.dockerfile_path", text, "Dockerfile", "relative to the build's folder",
       [](J& j, N, V v) { j.environment.dockerfile_path = v.text; }},
      {.path = "environment.conda_file",
       .accepts = text | mapping,
       .fallback = "",
       .help = "a path, or the conda specification itself",
       .store =
           [](J& j, N, V v) {
             (v.is_mapping() ? j.environment.conda_inline : j.environment.conda_file) =
                 v.is_mapping() ? emit_yaml(v) : v.text;
           }},
      {"environment.conda_file.*", anything, "", "of the conda specification, as conda has it"},
      {"environment.name", text, "", "recorded", [](J& j, N, V v) { j.environment.name = v.text; }},
      {"environment.version", text, "", "recorded", [](J& j, N, V v) { j.environment.version = v.text; }},
      {.path = "environment.description",
       .fallback = "",
       .help = "for people",
       .store = [](J& j, N, V v) { j.environment.description = v.text; },
       .may_be_empty = true},
      {"environment.os_type",
       choice,
       "linux",
       "recorded",
       [](J& j, N, V v) { j.environment.os_type = lower_case(v.text); },
       false,
       {word("linux"), word("windows")}},
      {"environment.datastore", text, "", "recorded", [](J& j, N, V v) { j.environment.datastore = v.text; }},
      {"environment.inference_config", mapping, "", "for endpoints; recorded",
       [](J& j, N, V v) { j.environment.inference_config = emit_yaml(v); }},
      {"environment.inference_config.*", anything, "", "as Azure ML has it"},
      {"environment.tags", mapping, "", "of the environment; recorded"},
      {.path = "environment.tags.*",
       .accepts = text | null,
       .fallback = "",
       .help = "null means empty",
       .store = [](J& j, N n, V v) { j.environment.tags[n] = v.text; },
       .may_be_empty = true,
       .check = check_any_name},
      {"environment.properties", mapping, "", "of the environment; recorded"},
      {.path = "environment.properties.*",
       .accepts = text | null,
       .fallback = "",
       .help = "null means empty",
       .store = [](J& j, N n, V v) { j.environment.properties[n] = v.text; },
       .may_be_empty = true,
       .check = check_any_name},
  };
}

}  // namespace lockstep::spec
