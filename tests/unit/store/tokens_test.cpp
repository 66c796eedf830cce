#include <gmock/gmock.h>

#include "common/clock.hpp"
#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StoreTokens : public ::testing::Test {
 protected:
  AccessToken make(const std::string& id, const std::string& sha256, std::int64_t expires_ms = 0,
                   const std::string& run_id = "") {
    AccessToken token;
    token.token_id = id;
    token.permit = {Scope::write, run_id};
    token.note = "for " + id;
    token.created_ms = ++created_;
    token.expires_ms = expires_ms;
    store_->create_token(token, sha256);
    return token;
  }
  std::vector<std::string> ids() {
    std::vector<std::string> all;
    for (const AccessToken& each : store_->list_tokens()) all.push_back(each.token_id);
    return all;
  }

  StoreFolder folder_;
  const std::unique_ptr<Store> store_ = folder_.open();
  std::int64_t created_ = 0;
};

TEST_F(StoreTokens, AreFoundByTheirHashAlone) {
  store_->create_run(new_run("r"));
  make("one", "hash-1", now_ms() + 60'000, "r");
  make("two", "hash-2");
  const AccessToken found = store_->find_token("hash-1").value_or(AccessToken());
  EXPECT_EQ(found.token_id, "one");
  EXPECT_EQ(found.permit.scope, Scope::write);
  EXPECT_EQ(found.permit.run_id, "r");
  EXPECT_EQ(found.note, "for one");
  EXPECT_EQ(found.created_ms, 1);
  EXPECT_GT(found.expires_ms, now_ms());
  EXPECT_FALSE(store_->find_token("one"));
  EXPECT_FALSE(store_->find_token(""));
}

TEST_F(StoreTokens, AreNotFoundWhenTheirTimeIsOverButAreListed) {
  make("old", "hash-1", now_ms());
  make("new", "hash-2", now_ms() + 60'000);
  EXPECT_FALSE(store_->find_token("hash-1"));
  EXPECT_TRUE(store_->find_token("hash-2"));
  EXPECT_THAT(ids(), ElementsAre("old", "new"));
}

TEST_F(StoreTokens, AreGoneForEveryProcessWhenTheyAreDeleted) {
  make("one", "hash-1");
  const auto other = folder_.open();
  EXPECT_TRUE(other->find_token("hash-1"));
  store_->delete_token("one");
  EXPECT_FALSE(other->find_token("hash-1"));
  EXPECT_THAT(ids(), IsEmpty());
  EXPECT_EQ(error_of([&] { store_->delete_token("one"); }).code(), ExitCode::not_found);
}

TEST_F(StoreTokens, OfARunNeedThatRun) {
  EXPECT_EQ(error_of([&] { make("one", "hash-1", 0, "not-here"); }).code(), ExitCode::not_found);
  EXPECT_THAT(ids(), IsEmpty());
}

TEST(Scopes, HaveTheNamesThatTheyAreFoundBy) {
  for (const Scope scope : {Scope::read, Scope::write, Scope::admin}) EXPECT_EQ(scope_named(name_of(scope)), scope);
  EXPECT_FALSE(scope_named("none"));
  EXPECT_FALSE(scope_named(""));
  EXPECT_LT(Scope::none, Scope::read);
  EXPECT_LT(Scope::read, Scope::write);
  EXPECT_LT(Scope::write, Scope::admin);
}

}  // namespace
}  // namespace lockstep::history
