// --store: a history other than the workspace's.
#pragma once

#include <memory>
#include <string>

#include "cli/command.hpp"
#include "history/store/store.hpp"

namespace lockstep::cli {

void add_store_option(const Command& command, std::string& store);

// `store` as the option gave it; empty: the workspace's.
std::unique_ptr<history::Store> existing_store(const std::string& store);  // of the workspace: as open_workspace()
std::unique_ptr<history::Store> made_store(const std::string& store);      // made where there is none

}  // namespace lockstep::cli
