// Searches of the registry. MLflow keeps prompts among the registered models; a search gives the one or the other.
#include <algorithm>

#include "history/store/registry_rows.hpp"
#include "history/store/registry_rules.hpp"
#include "history/store/search_page.hpp"
#include "history/store/sql_store.hpp"

namespace lockstep::history {

namespace {

constexpr int most_models = 1000;
constexpr int most_versions = 200'000;

// How one of the two kinds of things lies in the tables.
struct Searched {
  std::string_view number;  // of each thing: the first columns of the rows
  std::string_view tables;
  SideTable tags;
  std::string_view tag_owner;  // what stands for SideTable::owner in `tables`
  std::vector<std::pair<std::string_view, SortColumn>> attributes;

  const SortColumn& column(const std::string& name) const {
    const auto found =
        std::find_if(attributes.begin(), attributes.end(), [&name](const auto& each) { return each.first == name; });
    if (found == attributes.end()) throw bad_input("Invalid attribute key '{}' specified", name);
    return found->second;
  }
};

const Searched& models() {
  static const Searched all{.number = "m.model",
                            .tables = "registered_models m",
                            .tags = {"registered_model_tags", "model"},
                            .tag_owner = "m.model",
                            .attributes = {{"name", {"m.name", SqlType::text}},
                                           {"last_updated_timestamp", {"m.updated_ms", SqlType::integer}}}};
  return all;
}

const Searched& versions() {
  static const Searched all{.number = "v.model, v.version",
                            .tables = "model_versions v JOIN registered_models m USING (model)",
                            .tags = {"model_version_tags", "(model, version)"},
                            .tag_owner = "(v.model, v.version)",
                            .attributes = {{"name", {"m.name", SqlType::text}},
                                           {"version_number", {"v.version", SqlType::integer}},
                                           {"run_id", {"v.run_id", SqlType::text}},
                                           {"source_path", {"v.source", SqlType::text}},
                                           {"creation_timestamp", {"v.created_ms", SqlType::integer}},
                                           {"last_updated_timestamp", {"v.updated_ms", SqlType::integer}}}};
  return all;
}

bool is_about_prompts(const Clause& clause) {
  return clause.field == Field::tag && clause.key == registry_rules::prompt_tag;
}

// tags.`mlflow.prompt.is_prompt` = 'true', or != 'false'. Every other clause about this tag asks for models, which
// don't have it.
bool asks_for_prompts(const std::vector<Clause>& clauses) {
  const auto found = std::find_if(clauses.begin(), clauses.end(), is_about_prompts);
  if (found == clauses.end()) return false;
  const auto* value = std::get_if<std::string>(&found->value);
  return value != nullptr && *value == (found->comparison == Comparison::equal ? "true" : "false") &&
         (found->comparison == Comparison::equal || found->comparison == Comparison::not_equal);
}

Sql conditions(const Searched& things, const Search& search) {
  const bool prompts = asks_for_prompts(search.clauses);
  Sql all = sql(prompts ? "1 = 1"
                        : "NOT EXISTS (SELECT 1 FROM registered_model_tags t "
                          "WHERE t.model = m.model AND t.key = 'mlflow.prompt.is_prompt' AND t.value = 'true')");
  for (const Clause& clause : search.clauses) {
    if (is_about_prompts(clause) && !prompts) continue;
    all += " AND ";
    all += clause.field == Field::tag ? has(things.tags, things.tag_owner, clause)
                                      : condition(things.column(clause.key).expression, clause);
  }
  return all;
}

// What is asked for, and then what makes the order total, unless it was asked for.
std::vector<SortColumn> sort_columns(const Searched& things, const Search& search, const std::vector<SortKey>& then) {
  std::vector<SortKey> keys = search.order;
  for (const SortKey& key : then) {
    const auto same = [&key](const SortKey& each) { return each.key == key.key; };
    if (std::none_of(keys.begin(), keys.end(), same)) keys.push_back(key);
  }
  std::vector<SortColumn> columns;
  for (const SortKey& key : keys) {
    columns.push_back(things.column(key.key));
    columns.back().ascending = key.ascending;
  }
  return columns;
}

SortKey sort_key(const std::string& name, bool ascending) {
  return {.field = Field::attribute, .key = name, .ascending = ascending, .dataset_name = {}, .dataset_digest = {}};
}

// Gives each row of the page to `take`. Returns the token of the next page.
template <class Take>
std::string for_each_of_page(Database& database, const Searched& things, const Search& search,
                             const std::vector<SortColumn>& columns, int first_sort_column, const Take& take) {
  const std::vector<SqlValue> after = values_of_token(search, columns);
  Sql all = sql(fmt::format("SELECT {}, {} FROM {} WHERE ", things.number, expressions(columns), things.tables));
  all += conditions(things, search);
  if (!after.empty()) {
    all += " AND ";
    all += comes_after(columns, after);
  }
  all += sql(" ORDER BY " + order_by(columns) + " LIMIT ?", std::int64_t{search.max_results} + 1);
  Query rows = all.prepare(database);
  std::vector<SqlValue> last;
  for (int taken = 0; rows.step(); ++taken) {
    if (taken == search.max_results) return page_token(search, last);
    take(rows);
    last = values_at(rows, first_sort_column, columns);
  }
  return "";
}

}  // namespace

RegisteredModelPage SqlStore::search_registered_models(const Search& search) {
  check_page_length(search.max_results, most_models);
  const auto columns = sort_columns(models(), search, {sort_key("name", true)});
  const Snapshot snapshot(database_);
  RegisteredModelPage page;
  page.next_page_token = for_each_of_page(database_, models(), search, columns, 1, [&](const Query& row) {
    page.models.push_back(registry_rows::registered_model(database_, row.integer(0)));
  });
  return page;
}

ModelVersionPage SqlStore::search_model_versions(const Search& search) {
  check_page_length(search.max_results, most_versions);
  std::vector<SortKey> then{sort_key("name", true), sort_key("version_number", false)};
  if (search.order.empty()) then.insert(then.begin(), sort_key("last_updated_timestamp", false));
  const auto columns = sort_columns(versions(), search, then);
  const Snapshot snapshot(database_);
  ModelVersionPage page;
  page.next_page_token = for_each_of_page(database_, versions(), search, columns, 2, [&](const Query& row) {
    page.versions.push_back(registry_rows::listed_version(database_, row.integer(0), static_cast<int>(row.integer(1))));
  });
  return page;
}

}  // namespace lockstep::history
