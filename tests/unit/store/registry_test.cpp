// Registered models: names, tags and aliases.
#include <gmock/gmock.h>

#include "history/store/registry_rules.hpp"
#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct RegistryStore : ::testing::Test {
  StoreFolder folder;
  std::unique_ptr<Store> store = folder.open();

  int add_version(const std::string& name) {
    NewModelVersion version;
    version.name = name;
    version.source = "s3://bucket/" + name;
    return store->create_model_version(version).version;
  }
};

TEST_F(RegistryStore, AModelIsFoundAsItWasMade) {
  const RegisteredModel made = store->create_registered_model("digits", "reads digits", {{"team", "b"}, {"a", ""}});
  const RegisteredModel found = folder.open()->get_registered_model("digits");
  EXPECT_EQ(found.name, "digits");
  EXPECT_EQ(found.description, "reads digits");
  EXPECT_EQ(found.created_ms, made.created_ms);
  EXPECT_EQ(found.updated_ms, made.created_ms);
  EXPECT_THAT(found.tags, ElementsAre(KeyValue{"a", ""}, KeyValue{"team", "b"}));
  EXPECT_THAT(found.latest_versions, IsEmpty());
}

TEST_F(RegistryStore, OfATagGivenTwiceTheLastCounts) {
  EXPECT_THAT(store->create_registered_model("m", "", {{"k", "1"}, {"k", "2"}}).tags, ElementsAre(KeyValue{"k", "2"}));
}

TEST_F(RegistryStore, ANameIsTakenOnce) {
  store->create_registered_model("m", "", {});
  EXPECT_THROW(store->create_registered_model("m", "", {}), AlreadyExists);
  EXPECT_STREQ(error_of([&] { store->create_registered_model("m", "", {}); }).what(),
               "Registered Model (name=m) already exists.");
}

TEST_F(RegistryStore, NamesDifferByCase) {
  store->create_registered_model("m", "lower", {});
  store->create_registered_model("M", "upper", {});
  EXPECT_EQ(store->get_registered_model("m").description, "lower");
}

// MLflow keeps prompts as registered models with a tag.
TEST_F(RegistryStore, APromptAndAModelCannotHaveTheSameName) {
  const KeyValue prompt{"mlflow.prompt.is_prompt", "true"};
  store->create_registered_model("p", "", {prompt});
  EXPECT_STREQ(error_of([&] { store->create_registered_model("p", "", {prompt}); }).what(),
               "Prompt (name=p) already exists.");
  EXPECT_STREQ(
      error_of([&] { store->create_registered_model("p", "", {}); }).what(),
      "Tried to create a registered model with name 'p', but the name is already taken by a prompt. MLflow does "
      "not allow creating a model and a prompt with the same name.");
}

TEST_F(RegistryStore, AnUnknownModelIsNotFound) {
  const Error error = error_of([&] { store->get_registered_model("no"); });
  EXPECT_EQ(error.code(), ExitCode::not_found);
  EXPECT_STREQ(error.what(), "Registered Model with name=no not found");
}

TEST_F(RegistryStore, NamesThatCannotBePathsAreRefused) {
  for (const std::string name : {"", "  ", "a/b", "a:b", ".", "..", "..a", "\xff"}) {
    EXPECT_EQ(error_of([&] { store->create_registered_model(name, "", {}); }).code(), ExitCode::bad_input) << name;
  }
  EXPECT_STREQ(error_of([&] { store->create_registered_model("a/b", "", {}); }).what(),
               "Invalid model name 'a/b'. Names cannot contain '/' or ':'.");
}

TEST_F(RegistryStore, ANewDescriptionIsAChangeOfTheModel) {
  const RegisteredModel made = store->create_registered_model("m", "old", {});
  const RegisteredModel described = store->describe_registered_model("m", "new");
  EXPECT_EQ(described.description, "new");
  EXPECT_EQ(described.created_ms, made.created_ms);
  EXPECT_GE(described.updated_ms, made.updated_ms);
}

TEST_F(RegistryStore, ARenamedModelTakesEverythingAlong) {
  store->create_registered_model("old", "", {{"k", "v"}});
  add_version("old");
  store->set_model_alias("old", "best", 1);
  const RegisteredModel renamed = store->rename_registered_model("old", "new");
  EXPECT_EQ(renamed.name, "new");
  EXPECT_THAT(renamed.tags, ElementsAre(KeyValue{"k", "v"}));
  ASSERT_EQ(renamed.latest_versions.size(), 1U);
  EXPECT_EQ(renamed.latest_versions[0].name, "new");
  EXPECT_EQ(renamed.latest_versions[0].updated_ms, renamed.updated_ms);
  EXPECT_EQ(store->get_model_version_by_alias("new", "best").version, 1);
  EXPECT_EQ(error_of([&] { store->get_registered_model("old"); }).code(), ExitCode::not_found);
}

TEST_F(RegistryStore, AModelCanBeRenamedToItsOwnNameButNotToAnothers) {
  store->create_registered_model("a", "", {});
  store->create_registered_model("b", "", {});
  EXPECT_EQ(store->rename_registered_model("a", "a").name, "a");
  EXPECT_THROW(store->rename_registered_model("a", "b"), AlreadyExists);
}

TEST_F(RegistryStore, ADeletedModelLeavesNothing) {
  store->create_registered_model("m", "", {{"k", "v"}});
  add_version("m");
  store->set_model_version_tag("m", 1, {"k", "v"});
  store->set_model_alias("m", "best", 1);
  store->delete_registered_model("m");
  EXPECT_EQ(error_of([&] { store->get_registered_model("m"); }).code(), ExitCode::not_found);
  store->create_registered_model("m", "", {});
  EXPECT_EQ(add_version("m"), 1);  // another model, so its numbers begin anew
  EXPECT_THAT(store->get_model_version("m", 1).tags, IsEmpty());
  EXPECT_THAT(store->get_registered_model("m").aliases, IsEmpty());
}

TEST_F(RegistryStore, TagsAreSetAnewAndDeleted) {
  store->create_registered_model("m", "", {{"k", "1"}});
  store->set_registered_model_tag("m", {"k", "2"});
  store->set_registered_model_tag("m", {"l", "3"});
  store->delete_registered_model_tag("m", "k");
  store->delete_registered_model_tag("m", "never");
  EXPECT_THAT(store->get_registered_model("m").tags, ElementsAre(KeyValue{"l", "3"}));
}

TEST_F(RegistryStore, TagsKeepMlflowsLimits) {
  store->create_registered_model("m", "", {});
  store->set_registered_model_tag("m", {std::string(250, 'k'), std::string(100'000, 'v')});
  EXPECT_STREQ(error_of([&] {
                 store->set_registered_model_tag("m", {std::string(251, 'k'), ""});
               }).what(),
               "'key' exceeds the maximum length of 250 characters");
  EXPECT_STREQ(error_of([&] {
                 store->set_registered_model_tag("m", {"k", std::string(100'001, 'v')});
               }).what(),
               "'value' exceeds the maximum length of 100000 characters");
  EXPECT_THAT(error_of([&] {
                store->set_registered_model_tag("m", {"a*b", ""});
              }).what(),
              HasSubstr("Invalid value \"a*b\" for parameter 'key' supplied: Names may only contain"));
}

// As Python's posixpath.normpath says it.
TEST(RegistryRules, AKeyMustBeItsOwnPath) {
  for (const auto& [key, path] : std::vector<std::pair<std::string, std::string>>{{"a//b", "a/b"},
                                                                                  {"a/./b", "a/b"},
                                                                                  {"a/../../b", "../b"},
                                                                                  {"/a", "/a"},
                                                                                  {"", "."},
                                                                                  {"a/", "a"},
                                                                                  {"//a/", "//a"}}) {
    EXPECT_THAT(error_of([&key = key] { registry_rules::check_tag_key(key); }).what(),
                HasSubstr("This name would resolve to '" + path + "'"));
  }
  registry_rules::check_tag_key("a/b.c-d e:f/\xc3\xa9");
}

TEST_F(RegistryStore, AnAliasPointsToOneVersion) {
  store->create_registered_model("m", "", {});
  add_version("m");
  add_version("m");
  store->set_model_alias("m", "best", 1);
  store->set_model_alias("m", "also", 2);
  store->set_model_alias("m", "best", 2);
  EXPECT_THAT(store->get_registered_model("m").aliases, ElementsAre(ModelAlias{"also", 2}, ModelAlias{"best", 2}));
  EXPECT_THAT(store->get_model_version_by_alias("m", "best").aliases, ElementsAre("also", "best"));
  store->delete_model_alias("m", "best");
  store->delete_model_alias("m", "never");
  const Error error = error_of([&] { store->get_model_version_by_alias("m", "best"); });
  EXPECT_EQ(error.code(), ExitCode::bad_input);  // MLflow has it so
  EXPECT_STREQ(error.what(), "Registered model alias best not found.");
}

TEST_F(RegistryStore, LatestIsTheHighestVersionOfAnyStage) {
  store->create_registered_model("m", "", {});
  EXPECT_STREQ(error_of([&] { store->get_model_version_by_alias("m", "latest"); }).what(),
               "Latest version not found for model m.");
  add_version("m");
  add_version("m");
  store->move_model_version("m", 2, "Archived", false);
  EXPECT_EQ(store->get_model_version_by_alias("m", "Latest").version, 2);
}

TEST_F(RegistryStore, SomeAliasesAreRefused) {
  store->create_registered_model("m", "", {});
  add_version("m");
  for (const std::string alias : {"latest", "LATEST", "v1", "V12", "a b", "a.b", ""}) {
    EXPECT_EQ(error_of([&] { store->set_model_alias("m", alias, 1); }).code(), ExitCode::bad_input) << alias;
  }
  for (const std::string alias : {"v", "v1a", "av1", "a_b-C", "\xc3\xa9"}) store->set_model_alias("m", alias, 1);
  EXPECT_EQ(store->get_registered_model("m").aliases.size(), 5U);
  EXPECT_STREQ(error_of([&] { store->set_model_alias("m", "x", 7); }).what(),
               "Model Version (name=m, version=7) not found");
}

}  // namespace
}  // namespace lockstep::history
