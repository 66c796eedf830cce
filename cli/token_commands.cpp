// `lockstep token create`, `list` and `delete`.
#include <fmt/format.h>

#include <charconv>
#include <memory>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/store_option.hpp"
#include "cli/text_table.hpp"
#include "common/clock.hpp"
#include "common/digest.hpp"

namespace lockstep::cli {

namespace {

using history::AccessToken;

struct CreateArguments {
  std::string scope = "write";
  std::string run;
  std::string expires = "90d";
  std::string note;
  std::string store;
  OutputOptions output;
};

struct ListArguments {
  std::string store;
  OutputOptions output;
};

struct DeleteArguments {
  std::string id;
  std::string store;
};

// "12h" in milliseconds; 0 for "never".
std::int64_t lifetime_ms(const std::string& text) {
  if (text == "never") return 0;
  constexpr std::pair<char, std::int64_t> units[] = {
      {'m', 60'000}, {'h', 3'600'000}, {'d', 86'400'000}, {'w', 7 * 86'400'000}};
  constexpr int most = 100'000;
  int number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  for (const auto& [letter, length] : units) {
    if (error == std::errc() && number > 0 && number <= most && stop + 1 == end && *stop == letter)
      return number * length;
  }
  throw bad_input("--expires {}: say 30m, 12h, 90d, 8w, or never", text);
}

std::string time_text(std::int64_t ms, const char* never) { return ms == 0 ? never : iso8601(ms); }

Json token_json(const AccessToken& token) {
  return {{"token_id", token.token_id},
          {"scope", history::name_of(token.permit.scope)},
          {"run", token.permit.run_id},
          {"note", token.note},
          {"created", iso8601(token.created_ms)},
          {"expires", token.expires_ms == 0 ? Json(nullptr) : Json(iso8601(token.expires_ms))},
          {"expired", history::is_over(token, now_ms())}};
}

int create(const CreateArguments& arguments) {
  const std::int64_t lifetime = lifetime_ms(arguments.expires);
  AccessToken token;
  token.token_id = random_hex(8);
  token.permit = {history::scope_named(arguments.scope).value_or(history::Scope::none), arguments.run};
  token.note = arguments.note;
  token.created_ms = now_ms();
  if (lifetime > 0) token.expires_ms = token.created_ms + lifetime;
  const std::string text = "lockstep_" + random_hex(40);
  made_store(arguments.store)->create_token(token, sha256_hex(text));
  if (arguments.output.given()) {
    Json json = token_json(token);
    json["token"] = text;
    print(json, arguments.output);
    return 0;
  }
  fmt::print(stderr, "Token {} ({}{}), good until {}. It is shown this once; lockstep token delete {} ends it.\n",
             token.token_id, arguments.scope, arguments.run.empty() ? "" : ", for run " + arguments.run,
             time_text(token.expires_ms, "it is deleted"), token.token_id);
  print_text(text + "\n");
  return 0;
}

int list(const ListArguments& arguments) {
  const auto tokens = existing_store(arguments.store)->list_tokens();
  Json all = Json::array();
  for (const AccessToken& each : tokens) all.push_back(token_json(each));
  print(all, arguments.output, [&](const Terminal& terminal) {
    std::vector<std::vector<std::string>> rows;
    rows.reserve(tokens.size());
    const std::int64_t now = now_ms();
    for (const AccessToken& each : tokens) {
      rows.push_back({each.token_id, std::string(history::name_of(each.permit.scope)), each.permit.run_id,
                      history::is_over(each, now) ? "expired" : time_text(each.expires_ms, "never"), each.note});
    }
    return text_table({{"ID", false, false},
                       {"SCOPE", false, false},
                       {"RUN", false, true},
                       {"EXPIRES", false, false},
                       {"NOTE", false, true}},
                      rows, terminal);
  });
  return 0;
}

}  // namespace

void add_token_commands(const Command& root) {
  const Command token = root.add("token", "Make and end tokens: what clients of `lockstep serve` are let in with",
                                 "export MLFLOW_TRACKING_TOKEN=$(lockstep token create)\n"
                                 "lockstep token list");

  const Command create_command = token.add("create", "Make a token and print it; only its hash is kept",
                                           "export MLFLOW_TRACKING_TOKEN=$(lockstep token create)\n"
                                           "lockstep token create --scope read --expires never --note 'wall display'\n"
                                           "lockstep token create --run brave_otter_k3x9m2pq --expires 12h\n"
                                           "lockstep token create --store postgresql://lockstep@db/lockstep");
  auto arguments = std::make_shared<CreateArguments>();
  create_command
      .option("--scope", arguments->scope, "SCOPE",
              "read: see everything; write (default): make and change, too; admin: remove and rename, too")
      .one_of({"read", "write", "admin"});
  create_command.option("--run", arguments->run, "RUN", "Change this run, and those below it, and nothing else");
  create_command.option("--expires", arguments->expires, "TIME", "30m, 12h, 90d (default), 8w or never");
  create_command.option("--note", arguments->note, "TEXT", "What it is for, for the list");
  add_store_option(create_command, arguments->store);
  add_output_options(create_command, arguments->output);
  create_command.does([arguments] { return create(*arguments); });

  const Command list_command =
      token.add("list", "List tokens: what each permits, and until when", "lockstep token list -o json");
  auto listed = std::make_shared<ListArguments>();
  add_store_option(list_command, listed->store);
  add_output_options(list_command, listed->output);
  list_command.does([listed] { return list(*listed); });

  const Command delete_command =
      token.add("delete", "End a token; its bearers are out within a second", "lockstep token delete 3f9a0c12");
  auto ended = std::make_shared<DeleteArguments>();
  delete_command.option("id", ended->id, "ID", "The token's id, from the list").required();
  add_store_option(delete_command, ended->store);
  delete_command.does([ended] {
    existing_store(ended->store)->delete_token(ended->id);
    return 0;
  });
}

}  // namespace lockstep::cli
