// The SQL that makes the tables in PostgreSQL. A released text is never edited: a change is a new migration.
#pragma once

#include <span>

namespace lockstep::history {

// The version of the schema (schema.hpp) that PostgreSQL began with; `postgres_tables` makes it.
constexpr int postgres_first_version = 6;
extern const char* const postgres_tables;

// [n] leads from version postgres_first_version + n to the next.
extern const std::span<const char* const> postgres_migrations;

}  // namespace lockstep::history
