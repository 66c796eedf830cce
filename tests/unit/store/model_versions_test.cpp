#include <gmock/gmock.h>

#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct ModelVersions : ::testing::Test {
  StoreFolder folder;
  std::unique_ptr<Store> store = [this] {
    auto opened = folder.open();
    opened->create_registered_model("m", "", {});
    return opened;
  }();

  static NewModelVersion new_version() {
    NewModelVersion version;
    version.name = "m";
    version.source = "s3://bucket/m";
    return version;
  }
  int add() { return store->create_model_version(new_version()).version; }
  std::vector<std::string> stages() {
    std::vector<std::string> all;
    for (const auto& each : store->get_registered_model("m").latest_versions) {
      all.push_back(fmt::format("{} {}", each.version, each.stage));
    }
    return all;
  }
};

TEST_F(ModelVersions, AVersionIsFoundAsItWasMade) {
  NewModelVersion version = new_version();
  version.storage_location = "s3://elsewhere";
  version.run_id = "r";
  version.model_id = "m-1";
  version.run_link = "http://run";
  version.description = "the first";
  version.user_id = "me";
  version.tags = {{"k", "v"}, {"a", "b"}};
  store->create_model_version(version);
  const ModelVersion found = folder.open()->get_model_version("m", 1);
  EXPECT_EQ(found.name, "m");
  EXPECT_EQ(found.version, 1);
  EXPECT_EQ(found.stage, "None");
  EXPECT_EQ(found.source, "s3://bucket/m");
  EXPECT_EQ(found.storage_location, "s3://elsewhere");
  EXPECT_EQ(found.run_id, "r");
  EXPECT_EQ(found.model_id, "m-1");
  EXPECT_EQ(found.run_link, "http://run");
  EXPECT_EQ(found.description, "the first");
  EXPECT_EQ(found.user_id, "me");
  EXPECT_THAT(found.tags, ElementsAre(KeyValue{"a", "b"}, KeyValue{"k", "v"}));
  EXPECT_EQ(store->get_registered_model("m").updated_ms, found.created_ms);
}

TEST_F(ModelVersions, WithoutAnotherPlaceTheSourceIsWhereTheFilesAre) {
  EXPECT_EQ(store->create_model_version(new_version()).storage_location, "s3://bucket/m");
}

TEST_F(ModelVersions, ANumberIsNeverUsedTwice) {
  EXPECT_EQ(add(), 1);
  EXPECT_EQ(add(), 2);
  store->delete_model_version("m", 2);
  EXPECT_EQ(add(), 3);
}

TEST_F(ModelVersions, ADeletedVersionIsGoneWithItsTagsAndAliases) {
  add();
  add();
  store->set_model_alias("m", "best", 2);
  store->set_model_alias("m", "old", 1);
  store->set_model_version_tag("m", 2, {"k", "v"});
  store->delete_model_version("m", 2);
  EXPECT_STREQ(error_of([&] { store->get_model_version("m", 2); }).what(),
               "Model Version (name=m, version=2) not found");
  EXPECT_EQ(error_of([&] { store->delete_model_version("m", 2); }).code(), ExitCode::not_found);
  EXPECT_THAT(store->get_registered_model("m").aliases, ElementsAre(ModelAlias{"old", 1}));
  EXPECT_THAT(stages(), ElementsAre("1 None"));
}

TEST_F(ModelVersions, AVersionOfAnUnknownModelIsNotFound) {
  NewModelVersion version = new_version();
  version.name = "no";
  EXPECT_STREQ(error_of([&] { store->create_model_version(version); }).what(),
               "Registered Model with name=no not found");
  EXPECT_STREQ(error_of([&] { store->get_model_version("no", 1); }).what(),
               "Model Version (name=no, version=1) not found");
}

TEST_F(ModelVersions, AnUpdateChangesTheDescription) {
  add();
  const ModelVersion described = store->describe_model_version("m", 1, "better");
  EXPECT_EQ(described.description, "better");
  EXPECT_GE(described.updated_ms, described.created_ms);
}

TEST_F(ModelVersions, LatestVersionsAreTheNewestOfEachStage) {
  for (int i = 0; i < 5; ++i) add();
  store->move_model_version("m", 1, "Production", false);
  store->move_model_version("m", 2, "Production", false);
  store->move_model_version("m", 3, "Staging", false);
  EXPECT_THAT(stages(), ElementsAre("2 Production", "3 Staging", "5 None"));
}

TEST_F(ModelVersions, StagesAreWrittenInAnyCase) {
  add();
  for (const auto& [given, kept] : std::vector<std::pair<std::string, std::string>>{
           {"PRODUCTION", "Production"}, {"staging", "Staging"}, {"aRchived", "Archived"}, {"none", "None"}}) {
    EXPECT_EQ(store->move_model_version("m", 1, given, false).stage, kept);
  }
  EXPECT_STREQ(error_of([&] { store->move_model_version("m", 1, "live", false); }).what(),
               "Invalid Model Version stage: live. Value must be one of None, Staging, Production, Archived.");
}

TEST_F(ModelVersions, AMoveCanArchiveTheOthersOfTheStage) {
  for (int i = 0; i < 3; ++i) add();
  store->move_model_version("m", 1, "Production", false);
  store->move_model_version("m", 2, "Staging", false);
  const ModelVersion moved = store->move_model_version("m", 3, "production", true);
  EXPECT_THAT(stages(), ElementsAre("1 Archived", "2 Staging", "3 Production"));
  EXPECT_EQ(store->get_model_version("m", 1).updated_ms, moved.updated_ms);
  EXPECT_EQ(store->get_registered_model("m").updated_ms, moved.updated_ms);
  store->move_model_version("m", 3, "Production", true);  // it is not one of the others
  EXPECT_EQ(store->get_model_version("m", 3).stage, "Production");
}

TEST_F(ModelVersions, OnlyStagesInUseAreArchivedFrom) {
  add();
  const Error error = error_of([&] { store->move_model_version("m", 1, "none", true); });
  EXPECT_EQ(error.code(), ExitCode::failed);  // MLflow calls it an internal error
  EXPECT_THAT(error.what(),
              HasSubstr("because 'none' is not an Active stage. Valid stages are ['Staging', 'Production']"));
}

TEST_F(ModelVersions, AMoveOfAnUnknownVersionArchivesNothing) {
  add();
  store->move_model_version("m", 1, "Production", false);
  EXPECT_EQ(error_of([&] { store->move_model_version("m", 2, "Production", true); }).code(), ExitCode::not_found);
  EXPECT_EQ(store->get_model_version("m", 1).stage, "Production");
}

TEST_F(ModelVersions, TagsBelongToOneVersion) {
  add();
  add();
  store->set_model_version_tag("m", 1, {"k", "1"});
  store->set_model_version_tag("m", 1, {"k", "2"});
  store->set_model_version_tag("m", 1, {"l", ""});
  EXPECT_THAT(store->get_model_version("m", 2).tags, IsEmpty());
  store->delete_model_version_tag("m", 1, "l");
  store->delete_model_version_tag("m", 1, "never");
  EXPECT_THAT(store->get_model_version("m", 1).tags, ElementsAre(KeyValue{"k", "2"}));
  EXPECT_EQ(error_of([&] { store->set_model_version_tag("m", 3, {"k", "v"}); }).code(), ExitCode::not_found);
}

}  // namespace
}  // namespace lockstep::history
