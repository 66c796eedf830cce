// A store with something of everything, and whether two stores hold the same.
#pragma once

#include "history/store/store.hpp"

namespace lockstep::history::transfer {

void fill(Store& store);

// Every experiment, run, value and model of `wanted` is in `got` with the same fields.
void expect_same_history(Store& got, Store& wanted);

}  // namespace lockstep::history::transfer
