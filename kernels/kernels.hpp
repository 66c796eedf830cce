// Everything a model or an optimizer computes with: one header, whatever back-end runs it.
#pragma once

#include "kernels/device.hpp"       // IWYU pragma: export
#include "kernels/operations.hpp"   // IWYU pragma: export
#include "kernels/optimizers.hpp"   // IWYU pragma: export
#include "kernels/philox.hpp"       // IWYU pragma: export
#include "kernels/transformer.hpp"  // IWYU pragma: export
#include "kernels/view.hpp"         // IWYU pragma: export
