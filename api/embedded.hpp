// The files that this library brings along.
#pragma once

#include "common/embedded.hpp"

namespace lockstep::api {

std::span<const EmbeddedFile> openapi_document();
std::span<const EmbeddedFile> portal_files();

}  // namespace lockstep::api
