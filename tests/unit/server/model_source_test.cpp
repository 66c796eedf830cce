// Versions that are made from logged models.
#include "history/server/mlflow/model_source.hpp"

#include <gmock/gmock.h>

#include "history/server/mlflow/error.hpp"
#include "history/server/mlflow/uri.hpp"
#include "history/store/database.hpp"
#include "history/store/open_store.hpp"
#include "history/store/sql_store.hpp"
#include "tests/support/temporary_folder.hpp"

namespace lockstep::history::server::mlflow {
namespace {

using ::testing::ElementsAre;

// It knows one logged model.
class StoreWithModel : public SqlStore {
 public:
  explicit StoreWithModel(const fs::path& file) : SqlStore(open_database(file.string())) {
    model.model_id = "m-1";
    model.artifact_uri = "mlflow-artifacts:/0/models/m-1/artifacts";
    model.source_run_id = "r1";
  }
  LoggedModel get_logged_model(const std::string& model_id) override {
    if (model_id == model.model_id) return model;
    throw not_found("Logged model with ID '{}' not found.", model_id);
  }
  void set_logged_model_tags(const std::string& model_id, const std::vector<KeyValue>& tags) override {
    EXPECT_EQ(model_id, model.model_id);
    model.tags = tags;
  }

  LoggedModel model;
};

struct ModelSource : ::testing::Test {
  ::lockstep::testing::TemporaryFolder folder;
  fs::path file = [this] {
    const fs::path made = folder / "history.db";
    open_sqlite_store(made)->create_registered_model("digits", "", {});
    return made;
  }();
  StoreWithModel store{file};

  NewModelVersion checked(const std::string& source, const std::string& model_id, const std::string& run_id = "") {
    NewModelVersion version;
    version.name = "digits";
    version.source = source;
    version.model_id = model_id;
    version.run_id = run_id;
    return with_checked_source(store, version, {.run = !run_id.empty(), .model = !model_id.empty()});
  }
  std::string refusal(const std::string& source, const std::string& model_id) {
    try {
      checked(source, model_id);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(ModelSource, ALoggedModelSaysWhereItsFilesAreAndWhichRunMadeIt) {
  const NewModelVersion version = checked("models:/m-1", "m-1");
  EXPECT_EQ(version.source, "models:/m-1");
  EXPECT_EQ(version.storage_location, "mlflow-artifacts:/0/models/m-1/artifacts");
  EXPECT_EQ(version.run_id, "r1");
  EXPECT_EQ(checked("models:/m-1", "m-1", "other").run_id, "other");
}

TEST_F(ModelSource, AnArtifactMustBeOfTheLoggedModel) {
  EXPECT_EQ(checked("mlflow-artifacts:/0/models/m-1/artifacts/sub", "m-1").run_id, "r1");
  for (const std::string source : {"mlflow-artifacts:/0/models/m-2/artifacts", "models:/m-2", "runs:/r1/model"}) {
    EXPECT_EQ(refusal(source, "m-1"), "Invalid model version source: '" + source +
                                          "'. The model_id request parameter must identify the resource that contains "
                                          "the source.");
  }
  EXPECT_EQ(refusal("models:/m-1", ""),
            "Invalid model version source: 'models:/m-1'. The model_id request parameter must identify the resource "
            "that contains the source.");
}

TEST_F(ModelSource, AnUnknownLoggedModelIsNamed) {
  EXPECT_EQ(refusal("models:/m-2", "m-2"),
            "Unable to fetch model from model URI source artifact location 'models:/m-2'.Error: Logged model with ID "
            "'m-2' not found.");
  EXPECT_EQ(refusal("mlflow-artifacts:/0/models/m-2/artifacts", "m-2"),
            "Invalid model version source: 'mlflow-artifacts:/0/models/m-2/artifacts'. The model_id request parameter "
            "must identify the resource that contains the source.");
}

TEST_F(ModelSource, ACopyIsOfTheSameLoggedModel) {
  store.create_model_version(checked("models:/m-1", "m-1"));
  const NewModelVersion copy = checked("models:/digits/1", "");
  EXPECT_EQ(copy.model_id, "m-1");
  EXPECT_EQ(copy.run_id, "r1");
  EXPECT_EQ(copy.storage_location, "mlflow-artifacts:/0/models/m-1/artifacts");
}

TEST_F(ModelSource, ALoggedModelIsToldOfItsVersions) {
  for (int i = 0; i < 2; ++i) {
    tell_logged_model(store, store.create_model_version(checked("models:/m-1", "m-1")));
  }
  EXPECT_THAT(store.model.tags,
              ElementsAre(KeyValue{"mlflow.modelVersions",
                                   R"([{"name": "digits", "version": 1}, {"name": "digits", "version": 2}])"}));
}

TEST(Uris, AreReadAsPythonReadsThem) {
  const auto parts = [](const std::string& text) {
    const Uri uri = uri_of(text);
    return uri.scheme + "|" + uri.authority + "|" + uri.path;
  };
  EXPECT_EQ(parts("S3://Bucket/a/b?c#d"), "s3|Bucket|/a/b");
  EXPECT_EQ(parts("models:/m-1"), "models||/m-1");
  EXPECT_EQ(parts("/a/b"), "||/a/b");
  EXPECT_EQ(parts("1s3://b/x"), "||1s3://b/x");
  EXPECT_EQ(parts("a/b:c"), "||a/b:c");
  EXPECT_EQ(parts("s3://b"), "s3|b|");
}

TEST(Uris, AreDecodedHoweverOftenTheyWereEncoded) {
  EXPECT_EQ(percent_decoded("a%2Fb"), "a/b");
  EXPECT_EQ(percent_decoded("%25252e"), ".");
  EXPECT_EQ(percent_decoded("%%34%31"), "A");
  EXPECT_EQ(percent_decoded("100%, %zz, %"), "100%, %zz, %");
}

TEST(Uris, AreBelowARootByWholeParts) {
  const std::string root = "mlflow-artifacts:/0/r/artifacts";
  EXPECT_TRUE(is_at_or_below(root, root));
  EXPECT_TRUE(is_at_or_below("mlflow-artifacts:/0/%72//artifacts/x", root));
  for (const std::string other : {"mlflow-artifacts:/0/r/artifacts2", "mlflow-artifacts:/0/r", "s3:/0/r/artifacts/x",
                                  "mlflow-artifacts://host/0/r/artifacts/x"}) {
    EXPECT_FALSE(is_at_or_below(other, root)) << other;
  }
  EXPECT_FALSE(is_at_or_below("s3://bucket/x", "s3://bucket"));  // a root without a path holds nothing
}

}  // namespace
}  // namespace lockstep::history::server::mlflow
