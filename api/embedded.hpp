// Files that are part of the program (cmake/embed.cmake).
#pragma once

#include <span>
#include <string_view>

namespace lockstep::api {

struct EmbeddedFile {
  std::string_view path;  // relative to its folder, with '/'
  std::string_view bytes;
};

std::span<const EmbeddedFile> openapi_document();
std::span<const EmbeddedFile> portal_files();

}  // namespace lockstep::api
