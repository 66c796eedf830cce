#include "api/page_files.hpp"

#include <array>
#include <utility>

namespace lockstep::api {

const char* page_type_of(std::string_view path) {
  constexpr std::array<std::pair<std::string_view, const char*>, 10> types{{{".html", "text/html; charset=utf-8"},
                                                                            {".css", "text/css; charset=utf-8"},
                                                                            {".js", "text/javascript; charset=utf-8"},
                                                                            {".json", "application/json"},
                                                                            {".svg", "image/svg+xml"},
                                                                            {".png", "image/png"},
                                                                            {".gif", "image/gif"},
                                                                            {".ico", "image/vnd.microsoft.icon"},
                                                                            {".woff2", "font/woff2"},
                                                                            {".wasm", "application/wasm"}}};
  for (const auto& [ending, type] : types) {
    if (path.ends_with(ending)) return type;
  }
  return "text/plain; charset=utf-8";
}

}  // namespace lockstep::api
