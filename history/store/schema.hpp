// The tables of the store, and how an older file becomes a current one.
#pragma once

#include <span>

#include "history/store/sqlite_database.hpp"

namespace lockstep::history {

// migrations()[n] takes a file from schema version n (PRAGMA user_version) to n + 1; version 0 is an empty file.
// A released entry is never edited: a change is a new entry.
std::span<const char* const> migrations();

// Makes a store at `file` if nothing is there. Afterwards a whole one is, also when several processes make it at once
// or die in the middle.
void create_if_missing(const fs::path& file, std::span<const char* const> migrations);

// Brings the file to the newest version, in one durable transaction, whoever else opens it at the same time. Refuses
// a newer version, and a file that is not a store.
void migrate(SqliteDatabase& database, std::span<const char* const> migrations);

}  // namespace lockstep::history
