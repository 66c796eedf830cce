#include "common/curl_library.hpp"

#include <dlfcn.h>

#include "common/error.hpp"

namespace lockstep {

template <class Function>
static void find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  if (function == nullptr) throw failure("the libcurl of this machine lacks {}; 7.85 or later is needed", name);
}

static void* open_library() {
  for (const char* name : {"libcurl.so.4", "libcurl-gnutls.so.4"}) {
    if (void* const library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL)) return library;
  }
  throw failure("libcurl is needed (Debian: libcurl4), and can't be loaded: {}", ::dlerror());
}

static CurlLibrary load() {
  void* const library = open_library();  // for the rest of the process: libcurl does not like to be unloaded
  CurlLibrary curl{};
  find(library, "curl_global_init", curl.global_init);
  find(library, "curl_easy_init", curl.easy_init);
  find(library, "curl_easy_cleanup", curl.easy_cleanup);
  find(library, "curl_easy_setopt", curl.easy_setopt);
  find(library, "curl_easy_perform", curl.easy_perform);
  find(library, "curl_easy_getinfo", curl.easy_getinfo);
  find(library, "curl_easy_strerror", curl.easy_strerror);
  find(library, "curl_slist_append", curl.slist_append);
  find(library, "curl_slist_free_all", curl.slist_free_all);
  const CURLcode code = curl.global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) throw failure("libcurl could not be set up: {}", curl.easy_strerror(code));
  return curl;
}

const CurlLibrary& curl_library() {
  static const CurlLibrary library = load();
  return library;
}

}  // namespace lockstep
