// lockstep-train as a function.
#pragma once

#include <functional>
#include <memory>

#include "common/error.hpp"
#include "runner/collective/collective.hpp"
#include "runner/model/model.hpp"
#include "runner/options.hpp"

namespace lockstep::runner {

using ModelFactory = std::function<std::unique_ptr<Model>(const ModelSpec&, int max_batch, kernels::Device&)>;

// Trains as the options say. Collective. Returns done or stopped_early; throws AgreedError when all ranks know of a
// failure, anything else when only this rank does (then the others must be taken down).
ExitCode train(const Options& options, Collective& collective, const ModelFactory& make_model);

// The whole program: parses, trains, prints errors, leaves with the code of style.md's table. Tests put their own
// collective around the real one.
using Decorate = std::function<std::unique_ptr<Collective>(std::unique_ptr<Collective>)>;
int run_program(int argc, char** argv, const Decorate& decorate = {});

}  // namespace lockstep::runner
