// The files that the server hands out and that are part of the program.
#pragma once

#include "common/embedded.hpp"

namespace lockstep::api {

std::span<const EmbeddedFile> openapi_document();
std::span<const EmbeddedFile> portal_files();

}  // namespace lockstep::api
