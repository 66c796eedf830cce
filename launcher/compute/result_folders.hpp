// ./outputs and ./logs of the working folder, and where their contents belong in the run folder.
#pragma once

#include <functional>
#include <string>

#include "common/run_folder.hpp"

namespace lockstep::compute {

// Makes ./outputs and ./logs links to outputs/ and logs/user/ of the run. If the snapshot has folders of these names
// their contents move there first, as Azure ML would list them.
void link_result_folders(const RunFolder& folder, const fs::path& working_folder,
                         const std::function<void(const std::string&)>& say);

// Moves the contents of folders that have replaced the links. Nothing that is there is overwritten: a file whose name
// is taken gets ".1", ".2", ... at its end.
void gather_result_folders(const RunFolder& folder, const fs::path& working_folder,
                           const std::function<void(const std::string&)>& say);

}  // namespace lockstep::compute
