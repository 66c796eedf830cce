// MPI's error codes as errors.
#pragma once

#include <mpi.h>

#include "common/error.hpp"

namespace lockstep::runner {

inline void check_mpi(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw failure("{} failed: {}", what, text);
}

}  // namespace lockstep::runner
