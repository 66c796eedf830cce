// libcurl, loaded when it is first needed.
#pragma once

#include <curl/curl.h>

namespace lockstep {

// The functions that we call. Linked in the usual way libcurl brings 30 more libraries, and starting any lockstep
// process (every rank goes through one) would take 11 ms longer: best of 40 starts, 0.7 ms against 12 ms.
struct CurlLibrary {
  decltype(&curl_global_init) global_init;
  decltype(&curl_easy_init) easy_init;
  decltype(&curl_easy_cleanup) easy_cleanup;
  decltype(&curl_easy_setopt) easy_setopt;
  decltype(&curl_easy_perform) easy_perform;
  decltype(&curl_easy_getinfo) easy_getinfo;
  decltype(&curl_easy_strerror) easy_strerror;
  decltype(&curl_slist_append) slist_append;
  decltype(&curl_slist_free_all) slist_free_all;
};

const CurlLibrary& curl_library();  // initialised; throws failure where libcurl is not installed

}  // namespace lockstep
