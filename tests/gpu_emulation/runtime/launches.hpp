// Which kernels have run, for who compares that with what there are (tests/ptx/launches.py).
#pragma once

namespace lockstep::emulation {

// Where LOCKSTEP_KERNEL_LAUNCHES names a file, this process adds to it when it ends: a line "KERNEL<TAB>LAUNCHES" for
// each kernel, with its template arguments, and a line "process<TAB>1", so that a reader can tell whether all have
// ended. `function` is a kernel whose launch ended well; null, one of a test that makes its launches by hand, is not
// counted.
void count_launch(const void* function);

}  // namespace lockstep::emulation
