// Replies in the shapes that MLflow's API has.
#pragma once

#include <string>
#include <vector>

#include "history/server/json_text.hpp"
#include "history/server/mlflow/entities.hpp"
#include "history/server/request.hpp"

namespace lockstep::history::server::mlflow {

// {...}: `members` writes what stands in it.
template <class Members>
Reply object_reply(const Members& members) {
  JsonText out;
  out.begin_object();
  members(out);
  out.end_object();
  Reply reply;
  reply.body = out.take();
  return reply;
}

inline Reply empty_reply() {
  return object_reply([](JsonText&) {});
}

// {"<name>": [...], "next_page_token": "..."}: MLflow leaves out an empty list, and a token that is not there.
template <class Element, class Write>
Reply list_reply(const char* name, const std::vector<Element>& elements, const Write& write_one,
                 const std::string& next_page_token = "") {
  return object_reply([&](JsonText& out) {
    if (!elements.empty()) {
      out.key(name);
      out.begin_array();
      for (const Element& each : elements) write_one(out, each);
      out.end_array();
    }
    out.member_if_set("next_page_token", next_page_token);
  });
}

// The same of what entities.hpp can write.
template <class Element>
Reply list_reply(const char* name, const std::vector<Element>& elements, const std::string& next_page_token = "") {
  return list_reply(
      name, elements, [](JsonText& out, const Element& each) { write(out, each); }, next_page_token);
}

// {"<name>": {...}}
template <class Entity>
Reply entity_reply(const char* name, const Entity& entity) {
  return object_reply([&](JsonText& out) {
    out.key(name);
    write(out, entity);
  });
}

}  // namespace lockstep::history::server::mlflow
