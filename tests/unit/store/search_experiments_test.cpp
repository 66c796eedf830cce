#include <gmock/gmock.h>

#include "tests/unit/store/search_by_hand.hpp"
#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Texts = std::vector<std::string>;

// Default (0) was created at 100; one (1), Two (2) and three (3) at 300, 200 and 300; three is archived.
class ExperimentSearch : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const std::string name : {"one", "Two", "three"}) store_->get_or_create_experiment(name);
    folder_.database()->execute(
        "UPDATE experiments SET created_ms = CASE experiment_id WHEN 0 THEN 100 WHEN 2 THEN 200 ELSE 300 END, "
        "updated_ms = 1000 - experiment_id, archived = CASE experiment_id WHEN 3 THEN 1 ELSE 0 END; "
        "INSERT INTO experiment_tags VALUES (1, 'team', 'vision'), (2, 'team', 'Vision'), (2, 'a', 'b')");
  }
  Texts found(const std::vector<Clause>& clauses, const std::vector<SortKey>& order = {}, View view = View::all) {
    Search search;
    search.clauses = clauses;
    search.order = order;
    search.view = view;
    return names_of(store_->search_experiments(search));
  }
  static Texts names_of(const ExperimentPage& page) {
    Texts names;
    for (const Experiment& each : page.experiments) names.push_back(each.name);
    return names;
  }

  StoreFolder folder_;
  const std::unique_ptr<Store> store_ = folder_.open();
};

TEST_F(ExperimentSearch, NewestComesFirst) {
  EXPECT_THAT(found({}), ElementsAre("one", "three", "Two", "Default"));
  EXPECT_THAT(found({}, {}, View::active_only), ElementsAre("one", "Two", "Default"));
  EXPECT_THAT(found({}, {}, View::archived_only), ElementsAre("three"));
}

TEST_F(ExperimentSearch, SortsAsAsked) {
  EXPECT_THAT(found({}, {{Field::attribute, "name", true, {}, {}}}), ElementsAre("Default", "Two", "one", "three"));
  EXPECT_THAT(found({}, {{Field::attribute, "last_update_time", true, {}, {}}}),
              ElementsAre("three", "Two", "one", "Default"));
  EXPECT_THAT(found({}, {{Field::attribute, "creation_time", true, {}, {}}}),
              ElementsAre("Default", "Two", "three", "one"));
}

TEST_F(ExperimentSearch, FindsByNameTimeIdAndTag) {
  EXPECT_THAT(found({{Field::attribute, "name", Comparison::like, "t%"}}), ElementsAre("three"));
  EXPECT_THAT(found({{Field::attribute, "name", Comparison::ilike, "T%"}}), ElementsAre("three", "Two"));
  EXPECT_THAT(found({{Field::attribute, "creation_time", Comparison::less, 300.0}}), ElementsAre("Two", "Default"));
  EXPECT_THAT(found({{Field::attribute, "experiment_id", Comparison::in, Texts{"2", "0"}}}),
              ElementsAre("Two", "Default"));
  EXPECT_THAT(found({{Field::attribute, "experiment_id", Comparison::not_equal, "1"}}),
              ElementsAre("three", "Two", "Default"));
  EXPECT_THAT(found({{Field::tag, "team", Comparison::ilike, "VIS%"}}), ElementsAre("one", "Two"));
  EXPECT_THAT(found({{Field::tag, "team", Comparison::is_null, ""}}), ElementsAre("three", "Default"));
  EXPECT_EQ(error_of([&] {
              found({{Field::attribute, "experiment_id", Comparison::equal, "x"}});
            }).code(),
            ExitCode::bad_input);
}

TEST_F(ExperimentSearch, BringsTagsAndTurnsPages) {
  Search search;
  search.max_results = 1;
  search.order = {{Field::attribute, "creation_time", false, {}, {}}};
  Texts names;
  do {
    const ExperimentPage page = store_->search_experiments(search);
    ASSERT_EQ(page.experiments.size(), 1U);
    names.push_back(page.experiments[0].name);
    if (names.back() == "Two") {
      EXPECT_THAT(page.experiments[0].tags, ElementsAre(KeyValue{"a", "b"}, KeyValue{"team", "Vision"}));
    }
    search.page_token = page.next_page_token;
  } while (!search.page_token.empty());
  EXPECT_THAT(names, ElementsAre("one", "Two", "Default"));
  search.page_token = "none";
  EXPECT_THAT(error_of([&] { store_->search_experiments(search); }).what(), HasSubstr("Invalid page token"));
  search.page_token.clear();
  search.max_results = 0;
  EXPECT_EQ(error_of([&] { store_->search_experiments(search); }).code(), ExitCode::bad_input);
}

}  // namespace
}  // namespace lockstep::history
