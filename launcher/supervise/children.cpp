#include "launcher/supervise/children.hpp"

#include <set>
#include <vector>

#include "common/clock.hpp"

namespace lockstep::supervise {

static std::vector<history::Run> children_of(history::Store& store, const std::string& run_id) {
  std::vector<history::Run> all;
  history::RunQuery query;
  query.parent_run_id = run_id;
  do {
    history::RunPage page = store.list_runs(query);
    all.insert(all.end(), page.runs.begin(), page.runs.end());
    query.page_token = page.next_page_token;
  } while (!query.page_token.empty());
  return all;
}

void end_reported_below(history::Store& store, const std::string& run_id, history::RunState state) {
  std::set<std::string> seen{run_id};  // a tag can make a run its own ancestor
  std::vector<std::string> parents{run_id};
  while (!parents.empty()) {
    const std::string parent = parents.back();
    parents.pop_back();
    for (const history::Run& child : children_of(store, parent)) {
      if (!child.reported || !seen.insert(child.run_id).second) continue;
      parents.push_back(child.run_id);
      if (history::is_terminal(child.state)) continue;
      history::RunUpdate update;
      update.state = state;
      update.ended_ms = now_ms();
      store.update_run(child.run_id, update);
    }
  }
}

}  // namespace lockstep::supervise
