#include "history/search/grammar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "common/error.hpp"

namespace lockstep::history {

namespace {
using enum Comparison;

template <class... Each>
constexpr Comparisons any_of(Each... each) {
  return ((1U << static_cast<unsigned>(each)) | ...);
}
constexpr Comparisons number_comparisons = any_of(equal, not_equal, less, less_or_equal, greater, greater_or_equal);
constexpr Comparisons text_comparisons = any_of(equal, not_equal, like, ilike);
constexpr Comparisons list_comparisons = any_of(in, not_in);
constexpr Comparisons null_comparisons = any_of(is_null, is_not_null);
constexpr Comparisons id_comparisons = any_of(equal, not_equal) | list_comparisons;

using enum ValueType;

constexpr std::array run_prefixes{
    Prefix{"metric", Field::metric},
    Prefix{"metrics", Field::metric},
    Prefix{"parameter", Field::param},
    Prefix{"parameters", Field::param},
    Prefix{"param", Field::param},
    Prefix{"params", Field::param},
    Prefix{"tag", Field::tag},
    Prefix{"tags", Field::tag},
    Prefix{"attribute", Field::attribute},
    Prefix{"attributes", Field::attribute},
    Prefix{"attr", Field::attribute},
    Prefix{"run", Field::attribute},
    Prefix{"dataset", Field::dataset},
    Prefix{"datasets", Field::dataset},
};
constexpr std::array run_attributes{
    Attribute{"artifact_uri", text, text_comparisons},
    Attribute{"end_time", number, number_comparisons},
    Attribute{"run_id", text, text_comparisons | list_comparisons},
    Attribute{"run_name", text, text_comparisons},
    Attribute{"start_time", number, number_comparisons},
    Attribute{"status", text, text_comparisons},
    Attribute{"user_id", text, text_comparisons},
};
constexpr std::array run_aliases{
    Alias{"created", "start_time"}, Alias{"Created", "start_time"}, Alias{"run name", "run_name"},
    Alias{"Run name", "run_name"},  Alias{"Run Name", "run_name"},
};
constexpr std::array run_sort_fields{Field::metric, Field::param, Field::tag};

constexpr std::array thing_prefixes{Prefix{"attribute", Field::attribute}, Prefix{"tag", Field::tag},
                                    Prefix{"tags", Field::tag}};
constexpr std::string_view valid_thing_prefixes = "Valid entity types are ('attribute', 'tag', 'tags')";

constexpr std::array experiment_attributes{
    Attribute{"creation_time", integer, number_comparisons},
    Attribute{"experiment_id", text, id_comparisons},
    Attribute{"last_update_time", integer, number_comparisons},
    Attribute{"name", text, text_comparisons},
};

// MLflow sorts registered models by the time of their last update, whichever name that is asked for by.
constexpr std::array registered_model_attributes{
    Attribute{"last_updated_timestamp", integer, 0},
    Attribute{"name", text, text_comparisons | list_comparisons},
};
constexpr std::array registered_model_aliases{Alias{"timestamp", "last_updated_timestamp"}};

constexpr std::array model_version_attributes{
    Attribute{"creation_timestamp", integer, 0},
    Attribute{"last_updated_timestamp", integer, 0},
    Attribute{"name", text, text_comparisons | list_comparisons},
    Attribute{"run_id", text, text_comparisons | list_comparisons, false},
    Attribute{"source_path", text, text_comparisons, false},
    Attribute{"version_number", integer_or_text, number_comparisons},
};

constexpr std::array logged_model_prefixes{Prefix{"attributes", Field::attribute}, Prefix{"metrics", Field::metric},
                                           Prefix{"params", Field::param}, Prefix{"tags", Field::tag}};
constexpr Comparisons logged_model_texts = text_comparisons | list_comparisons;
constexpr std::array logged_model_attributes{
    Attribute{"artifact_location", text, logged_model_texts},
    Attribute{"creation_timestamp", integer, number_comparisons},
    Attribute{"experiment_id", text, id_comparisons},
    Attribute{"last_updated_timestamp", integer, number_comparisons},
    Attribute{"model_id", text, logged_model_texts},
    Attribute{"model_type", text, logged_model_texts},
    Attribute{"name", text, logged_model_texts},
    Attribute{"source_run_id", text, logged_model_texts},
    Attribute{"status", text, logged_model_texts},
};
constexpr std::array logged_model_aliases{
    Alias{"creation_time", "creation_timestamp"},
    Alias{"creation_timestamp_ms", "creation_timestamp"},
    Alias{"last_updated_time", "last_updated_timestamp"},
    Alias{"last_updated_timestamp_ms", "last_updated_timestamp"},
};
constexpr std::array logged_model_sort_fields{Field::metric};

const Grammar runs{.prefixes = run_prefixes,
                   .valid_prefixes = "Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']",
                   .attributes = run_attributes,
                   .aliases = run_aliases,
                   .metrics = number_comparisons,
                   .params = text_comparisons | null_comparisons,
                   .tags = text_comparisons | null_comparisons,
                   .datasets = text_comparisons | list_comparisons,
                   .sort_fields = run_sort_fields};
const Grammar experiments{.prefixes = thing_prefixes,
                          .valid_prefixes = valid_thing_prefixes,
                          .attributes = experiment_attributes,
                          .aliases = {},
                          .tags = text_comparisons | null_comparisons,
                          .sort_fields = {}};
const Grammar registered_models{.prefixes = thing_prefixes,
                                .valid_prefixes = valid_thing_prefixes,
                                .attributes = registered_model_attributes,
                                .aliases = registered_model_aliases,
                                .tags = text_comparisons,
                                .sort_fields = {}};
const Grammar model_versions{.prefixes = thing_prefixes,
                             .valid_prefixes = valid_thing_prefixes,
                             .attributes = model_version_attributes,
                             .aliases = {},
                             .tags = text_comparisons,
                             .sort_fields = {}};
const Grammar logged_models{.prefixes = logged_model_prefixes,
                            .valid_prefixes = "Expected one of ['attributes', 'metrics', 'params', 'tags']",
                            .attributes = logged_model_attributes,
                            .aliases = logged_model_aliases,
                            .metrics = number_comparisons,
                            .params = logged_model_texts,
                            .tags = logged_model_texts,
                            .sort_fields = logged_model_sort_fields,
                            .takes_bare_values = true};

constexpr std::array<std::string_view, 12> comparison_texts{
    "=", "!=", "<", "<=", ">", ">=", "LIKE", "ILIKE", "IN", "NOT IN", "IS NULL", "IS NOT NULL"};
}  // namespace

const Grammar& grammar_of(Kind kind) {
  switch (kind) {
    case Kind::runs:
      return runs;
    case Kind::experiments:
      return experiments;
    case Kind::registered_models:
      return registered_models;
    case Kind::model_versions:
      return model_versions;
    case Kind::logged_models:
      return logged_models;
  }
  throw failure("a kind of thing that this lockstep does not know");
}

std::string_view text_of(Comparison comparison) { return comparison_texts.at(static_cast<std::size_t>(comparison)); }

std::string python_set_of(std::vector<std::string_view> names) {
  std::sort(names.begin(), names.end());
  return names.empty() ? "{}" : fmt::format("{{'{}'}}", fmt::join(names, "', '"));
}

std::string text_of(Comparisons set) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < comparison_texts.size(); ++i) {
    if (has_comparison(set, static_cast<Comparison>(i))) names.push_back(comparison_texts[i]);
  }
  return python_set_of(std::move(names));
}

}  // namespace lockstep::history
