// Where a history lies, and how it is opened: a file of SQLite's by its path (or sqlite:///PATH), or a PostgreSQL
// database by its URL ("postgresql://user@host/name?sslmode=require", as libpq takes it; a password is better left to
// ~/.pgpass). Another URL is bad_input.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "history/store/store.hpp"

namespace lockstep::history {

class Database;

enum class OpenedFor { command, server };  // server: by the one thread of it that writes

bool is_postgres(std::string_view store);
bool is_there(const std::string& store);                 // the file; of a server only opening tells
std::string without_password(const std::string& store);  // to be shown

// Opens, and creates or migrates, the store. A schema newer than this program is refused.
std::unique_ptr<Store> open_store(const std::string& store, OpenedFor who = OpenedFor::command);
std::unique_ptr<Database> open_database(const std::string& store);  // which is a store already

}  // namespace lockstep::history
