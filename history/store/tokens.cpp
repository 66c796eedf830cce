#include "history/store/tokens.hpp"

#include "common/clock.hpp"
#include "history/store/sql_store.hpp"

namespace lockstep::history {

static constexpr std::string_view scope_names[] = {"none", "read", "write", "admin"};  // by Scope

std::string_view name_of(Scope scope) { return scope_names[static_cast<std::size_t>(scope)]; }

std::optional<Scope> scope_named(std::string_view name) {
  for (const Scope scope : {Scope::read, Scope::write, Scope::admin}) {
    if (name_of(scope) == name) return scope;
  }
  return std::nullopt;
}

static constexpr const char* token_columns = "SELECT token_id, scope, run_id, note, created_ms, expires_ms FROM tokens";

static AccessToken token_of(const Query& row) {
  return {.token_id = row.text(0),
          .permit = {scope_named(row.text(1)).value_or(Scope::none), row.text(2)},
          .note = row.text(3),
          .created_ms = row.integer(4),
          .expires_ms = row.integer(5)};
}

void SqlStore::create_token(const AccessToken& token, const std::string& sha256) {
  Transaction transaction(database_, Survives::power_loss);
  if (!token.permit.run_id.empty()) number_of(token.permit.run_id);
  database_
      .query(
          "INSERT INTO tokens (token_id, sha256, scope, run_id, note, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, "
          "?, ?)")
      .bind(token.token_id, sha256, name_of(token.permit.scope), token.permit.run_id, token.note, token.created_ms,
            token.expires_ms)
      .run();
  transaction.commit();
}

std::optional<AccessToken> SqlStore::find_token(const std::string& sha256) {
  Query found = database_.query(std::string(token_columns) + " WHERE sha256 = ? AND expires_ms NOT BETWEEN 1 AND ?");
  if (!found.bind(sha256, now_ms()).step()) return std::nullopt;
  return token_of(found);
}

std::vector<AccessToken> SqlStore::list_tokens() {
  std::vector<AccessToken> all;
  Query rows = database_.query(std::string(token_columns) + " ORDER BY created_ms, token_id");
  while (rows.step()) all.push_back(token_of(rows));
  return all;
}

void SqlStore::delete_token(const std::string& token_id) {
  Transaction transaction(database_, Survives::power_loss);
  database_.query("DELETE FROM tokens WHERE token_id = ?").bind(token_id).run();
  if (database_.changed_rows() == 0) throw not_found("no token '{}' (lockstep token list)", token_id);
  transaction.commit();
}

}  // namespace lockstep::history
