#include "runner/checkpoint/training_state.hpp"

#include <algorithm>

namespace lockstep::runner {

TrainingState::TrainingState(Collective& collective, Model& model, Optimizer& optimizer) : model_(model) {
  add("parameters", model.parameters(), whole(model), collective);
  for (const OptimizerState& state : optimizer.state()) add(state.name, state.values, optimizer.part(), collective);
}

// Rank r has the r-th of as many equal parts as there are ranks, or every rank has all.
void TrainingState::add(const std::string& name, std::span<float> there, ArenaPart part, Collective& collective) {
  HostCopy copy(model_.device(), model_.stream(), there);
  std::vector<float> all;
  if (part.size() < model_.parameters().size()) {
    all.resize(model_.parameters().size());
    std::ranges::copy(copy.values(), all.begin() + static_cast<std::ptrdiff_t>(part.begin));
    for (int rank = 0; rank < collective.size(); ++rank) {
      const auto theirs = std::span(all).subspan(static_cast<std::size_t>(rank) * part.size(), part.size());
      collective.broadcast(std::as_writable_bytes(theirs), rank);
    }
  }
  arenas_.push_back({name, all.empty() ? copy.values() : std::span(all)});
  copies_.push_back(std::move(copy));
  whole_.push_back(std::move(all));  // its memory stays where it is
  parts_.push_back(part);
}

void TrainingState::give_back() {
  for (std::size_t i = 0; i < arenas_.size(); ++i) {
    if (!whole_[i].empty()) {
      std::ranges::copy(arenas_[i].values.subspan(parts_[i].begin, parts_[i].size()), copies_[i].values().begin());
    }
    copies_[i].give_back();
  }
}

}  // namespace lockstep::runner
