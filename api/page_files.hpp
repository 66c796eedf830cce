// Files of web pages.
#pragma once

#include <string_view>

namespace lockstep::api {

const char* page_type_of(std::string_view path);  // the Content-Type by the name's ending; text/plain for others

}  // namespace lockstep::api
