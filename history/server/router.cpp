#include <algorithm>
#include <optional>

#include "history/server/route.hpp"

namespace lockstep::history::server {

namespace {
// One part of a pattern against one of a path.
enum class Match { none, word, captured, rest };

std::string_view next_part(std::string_view& text) {
  const auto slash = text.find('/');
  const std::string_view part = text.substr(0, slash);
  text.remove_prefix(slash == std::string_view::npos ? text.size() : slash + 1);
  return part;
}

Match match_of(std::string_view pattern, std::string_view part) {
  if (!pattern.starts_with('{')) return pattern == part ? Match::word : Match::none;
  if (pattern.ends_with("...}")) return Match::rest;
  return part.empty() ? Match::none : Match::captured;
}

// How a path was matched: the kinds of its parts in order. Of two, the lesser is the closer one.
struct Matched {
  std::vector<Match> kinds;
  std::vector<std::string> captured;
};

std::optional<Matched> matched(std::string_view pattern, std::string_view path) {
  Matched found;
  while (true) {
    const bool more_pattern = !pattern.empty();
    if (!more_pattern) return path.empty() ? std::optional(std::move(found)) : std::nullopt;
    const std::string_view rest = path;
    const bool had_part = !path.empty();
    const std::string_view wanted = next_part(pattern);
    const std::string_view part = next_part(path);
    const Match kind = match_of(wanted, part);
    if (kind == Match::none || (!had_part && kind != Match::rest)) return std::nullopt;
    found.kinds.push_back(kind);
    if (kind == Match::captured) found.captured.emplace_back(part);
    if (kind == Match::rest) {
      found.captured.emplace_back(rest);
      return found;
    }
  }
}
}  // namespace

const std::string* Request::query_value(std::string_view key) const {
  const auto found = std::find_if(query.begin(), query.end(), [key](const KeyValue& each) { return each.key == key; });
  return found == query.end() ? nullptr : &found->value;
}

void Router::add(Routes routes) {
  for (Route& route : routes) {
    if (route.pattern.find('{') == std::string::npos)
      plain_.emplace(std::pair(route.verb, route.pattern), routes_.size());
    routes_.push_back(std::move(route));
  }
}

const Route* Router::find(Request& request, bool& other_verb) const {
  const Route* best = nullptr;
  Matched how;
  other_verb = false;
  // Nearly all requests: nothing is closer than a path's own words.
  if (const auto plain = plain_.find({request.verb, request.path}); plain != plain_.end()) {
    return &routes_[plain->second];
  }
  for (const Route& route : routes_) {
    auto match = matched(std::string_view(route.pattern).substr(1), std::string_view(request.path).substr(1));
    if (!match) continue;
    if (route.verb != request.verb) {
      other_verb = true;
      continue;
    }
    if (best == nullptr || match->kinds < how.kinds) {
      best = &route;
      how = std::move(*match);
    }
  }
  if (best != nullptr) request.captured = std::move(how.captured);
  return best;
}

}  // namespace lockstep::history::server
