// Files that are part of a program (cmake/embed.cmake).
#pragma once

#include <span>
#include <string_view>

namespace lockstep {

struct EmbeddedFile {
  std::string_view path;  // relative to its folder, with '/'
  std::string_view bytes;
};

}  // namespace lockstep
