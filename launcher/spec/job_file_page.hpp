// docs/job-files.md, from the key table; a test compares the two.
#pragma once

#include <string>

namespace lockstep::spec {

std::string job_file_page();

}  // namespace lockstep::spec
