#include <gmock/gmock.h>

#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Clause clause(Field field, const std::string& key, Comparison comparison,
              std::variant<double, std::string, std::vector<std::string>> value) {
  return {field, key, comparison, std::move(value)};
}

struct RegistrySearch : ::testing::Test {
  StoreFolder folder;
  std::unique_ptr<Store> store = folder.open();

  void add_version(const std::string& name, const std::string& run_id = "", const std::vector<KeyValue>& tags = {}) {
    NewModelVersion version;
    version.name = name;
    version.source = "s3://bucket/" + name;
    version.run_id = run_id;
    version.tags = tags;
    store->create_model_version(version);
  }
  std::vector<std::string> models(const Search& search = {}) {
    std::vector<std::string> names;
    for (const auto& model : store->search_registered_models(search).models) names.push_back(model.name);
    return names;
  }
  std::vector<std::string> versions(const Search& search = {}) {
    std::vector<std::string> names;
    for (const auto& each : store->search_model_versions(search).versions) {
      names.push_back(fmt::format("{}/{}", each.name, each.version));
    }
    return names;
  }
  std::vector<std::string> models_where(const Clause& one) {
    Search search;
    search.clauses = {one};
    return models(search);
  }
  std::vector<std::string> versions_where(const Clause& one) {
    Search search;
    search.clauses = {one};
    search.order = by("name");
    return versions(search);
  }
  static std::vector<SortKey> by(const std::string& key, bool ascending = true) {
    return {{Field::attribute, key, ascending, "", ""}};
  }
};

TEST_F(RegistrySearch, ModelsComeByName) {
  for (const char* name : {"c", "a", "b"}) store->create_registered_model(name, "", {});
  EXPECT_THAT(models(), ElementsAre("a", "b", "c"));
  Search search;
  search.order = by("name", false);
  EXPECT_THAT(models(search), ElementsAre("c", "b", "a"));
}

TEST_F(RegistrySearch, ModelsAreComplete) {
  store->create_registered_model("a", "about", {{"k", "v"}});
  add_version("a");
  store->set_model_alias("a", "best", 1);
  const RegisteredModel found = store->search_registered_models({}).models.at(0);
  EXPECT_EQ(found.description, "about");
  EXPECT_THAT(found.tags, ElementsAre(KeyValue{"k", "v"}));
  EXPECT_THAT(found.aliases, ElementsAre(ModelAlias{"best", 1}));
  EXPECT_EQ(found.latest_versions.size(), 1U);
}

TEST_F(RegistrySearch, ModelsAreFoundByNameAndTag) {
  store->create_registered_model("Abc", "", {{"team", "red"}});
  store->create_registered_model("abd", "", {{"team", "blue"}});
  store->create_registered_model("x", "", {});
  EXPECT_THAT(models_where(clause(Field::attribute, "name", Comparison::like, "ab%")), ElementsAre("abd"));
  EXPECT_THAT(models_where(clause(Field::attribute, "name", Comparison::ilike, "ab%")), ElementsAre("Abc", "abd"));
  EXPECT_THAT(
      models_where(clause(Field::attribute, "name", Comparison::in, std::vector<std::string>{"x", "Abc", "no"})),
      ElementsAre("Abc", "x"));
  EXPECT_THAT(models_where(clause(Field::tag, "team", Comparison::equal, "red")), ElementsAre("Abc"));
  EXPECT_THAT(models_where(clause(Field::tag, "team", Comparison::not_equal, "red")), ElementsAre("abd"));
}

// As MLflow's SQL store: the tag asks for the one kind or the other, and is asked for no more than that.
TEST_F(RegistrySearch, PromptsAreNotFoundUnlessAskedFor) {
  const std::string is_prompt = "mlflow.prompt.is_prompt";
  store->create_registered_model("model", "", {});
  store->create_registered_model("prompt", "", {{is_prompt, "true"}});
  add_version("model");
  add_version("prompt", "", {{is_prompt, "true"}});
  EXPECT_THAT(models(), ElementsAre("model"));
  EXPECT_THAT(versions(), ElementsAre("model/1"));
  EXPECT_THAT(models_where(clause(Field::tag, is_prompt, Comparison::equal, "true")), ElementsAre("prompt"));
  EXPECT_THAT(versions_where(clause(Field::tag, is_prompt, Comparison::equal, "true")), ElementsAre("prompt/1"));
  EXPECT_THAT(models_where(clause(Field::tag, is_prompt, Comparison::not_equal, "false")), ElementsAre("prompt"));
  EXPECT_THAT(models_where(clause(Field::tag, is_prompt, Comparison::not_equal, "true")), ElementsAre("model"));
  EXPECT_THAT(models_where(clause(Field::tag, is_prompt, Comparison::equal, "false")), ElementsAre("model"));
}

TEST_F(RegistrySearch, VersionsAreFoundByWhatTheyHave) {
  store->create_registered_model("a", "", {});
  store->create_registered_model("b", "", {});
  add_version("a", "r1", {{"k", "v"}});
  add_version("a", "r2");
  add_version("b", "r1", {{"k", "w"}, {"l", "x"}});
  EXPECT_THAT(versions_where(clause(Field::attribute, "name", Comparison::equal, "a")), ElementsAre("a/2", "a/1"));
  EXPECT_THAT(versions_where(clause(Field::attribute, "run_id", Comparison::equal, "r1")), ElementsAre("a/1", "b/1"));
  EXPECT_THAT(versions_where(clause(Field::attribute, "run_id", Comparison::not_in, std::vector<std::string>{"r1"})),
              ElementsAre("a/2"));
  EXPECT_THAT(versions_where(clause(Field::attribute, "source_path", Comparison::like, "%/b")), ElementsAre("b/1"));
  EXPECT_THAT(versions_where(clause(Field::attribute, "version_number", Comparison::greater, 1.0)), ElementsAre("a/2"));
  EXPECT_THAT(versions_where(clause(Field::tag, "k", Comparison::not_equal, "v")), ElementsAre("b/1"));
  EXPECT_THAT(versions_where(clause(Field::tag, "l", Comparison::equal, "v")), IsEmpty());
}

TEST_F(RegistrySearch, TheVersionThatChangedLastComesFirst) {
  store->create_registered_model("a", "", {});
  for (int i = 0; i < 3; ++i) add_version("a");
  store->rename_registered_model("a", "b");  // all at one time: then the highest number
  EXPECT_THAT(versions(), ElementsAre("b/3", "b/2", "b/1"));
  const std::int64_t then = store->get_model_version("b", 1).updated_ms;
  while (store->describe_model_version("b", 1, "new").updated_ms == then) {
  }
  EXPECT_THAT(versions(), ElementsAre("b/1", "b/3", "b/2"));
}

TEST_F(RegistrySearch, DeletedVersionsAreNotFound) {
  store->create_registered_model("a", "", {});
  add_version("a");
  add_version("a");
  store->delete_model_version("a", 2);
  EXPECT_THAT(versions(), ElementsAre("a/1"));
}

TEST_F(RegistrySearch, PagesTogetherAreTheWhole) {
  for (const char* name : {"b", "a"}) {
    store->create_registered_model(name, "", {});
    for (int i = 0; i < 3; ++i) add_version(name);
  }
  Search search;
  search.max_results = 4;
  search.order = by("version_number");
  EXPECT_THAT(versions(search), ElementsAre("a/1", "b/1", "a/2", "b/2"));
  search.page_token = store->search_model_versions(search).next_page_token;
  EXPECT_THAT(versions(search), ElementsAre("a/3", "b/3"));
  EXPECT_EQ(store->search_model_versions(search).next_page_token, "");

  Search one;
  one.max_results = 1;
  EXPECT_THAT(models(one), ElementsAre("a"));
  one.page_token = store->search_registered_models(one).next_page_token;
  EXPECT_THAT(models(one), ElementsAre("b"));
  EXPECT_EQ(store->search_registered_models(one).next_page_token, "");
}

TEST_F(RegistrySearch, ATokenOfAnotherSearchIsRefused) {
  for (const char* name : {"a", "b"}) store->create_registered_model(name, "", {});
  Search search;
  search.max_results = 1;
  search.page_token = store->search_registered_models(search).next_page_token;
  search.order = by("name", false);
  EXPECT_EQ(error_of([&] { store->search_registered_models(search); }).code(), ExitCode::bad_input);
}

TEST_F(RegistrySearch, APageHasALongestLength) {
  Search search;
  for (const int length : {0, -1, 1001}) {
    search.max_results = length;
    EXPECT_EQ(error_of([&] { store->search_registered_models(search); }).code(), ExitCode::bad_input);
  }
  search.max_results = 200'001;
  EXPECT_EQ(error_of([&] { store->search_model_versions(search); }).code(), ExitCode::bad_input);
}

}  // namespace
}  // namespace lockstep::history
