// docs/train-options.md. A test compares the page with this.
#include <fmt/format.h>

#include "runner/options.hpp"

namespace lockstep::runner {

static constexpr const char* introduction =
    R"(# Options of lockstep-train
`lockstep-train` trains a network on images, data parallel over MPI ranks:

    lockstep-train --data /usr/share/datasets/fashion-mnist
    mpirun -np 4 lockstep-train --model cnn --data DIR --epochs 5 --batch-size 256

This page is printed by `lockstep-train --options-page`; the parser and `--help` come from the same table.

| option | values | default | meaning |
|---|---|---|---|
)";

static constexpr const char* notes =
    R"(
## What makes two runs equal
The initial parameters, the order of the data and dropout depend on `--seed`, the epoch and the step alone, never on the
number of ranks. Each batch is cut into `--blocks` blocks, a rank computes the gradients of its blocks one after the other,
and all are summed in one fixed order, ((0+1)+(2+3)): so 1, 2 and 4 ranks give **the same bits** with one instruction set
(losses, parameters, checkpoints), and a run that was stopped on 4 ranks goes on on 1 as if nothing had happened. More ranks
than blocks, or a number that is no power of two, give one block to each rank: then the same options on the same number of
ranks give the same bits.

**On CPUs the bits depend on the machine by its instruction set only**, not by its caches or its libm. All ranks of a run use
one set, the highest that each of them may, so a run on mixed machines does not depend on where its ranks happened to
lie; a line says which set that is, and which ranks would have had more. It is recorded as the parameter `isa_used` (with
`isa_of_ranks`, where they differ), as the tag `lockstep.isa_used` (of the latest start) and in checkpoints. To repeat a run on
a newer CPU: `--isa` and the recorded word. A set that the CPU does not have is an error.

The words are oneDNN's. It has more than these (`avx2_vnni`, `avx512_core_vnni`, `_bf16`, `_amx`), which have nothing for float32:
CPUs that have them count as `avx2` or `avx512_core`. `ONEDNN_MAX_CPU_ISA` caps, too; `ONEDNN_CPU_ISA_HINTS` and
`ONEDNN_DEFAULT_FPMATH_MODE` are refused, for they change rounding. All this was shown (`tests/ranks/instruction_set_test.cpp`)
on one CPU that was made to look like others, with fewer instructions, other caches, and the libm that CPUs without FMA get;
not yet on CPUs of several makers. Two versions of oneDNN may differ. `--convolutions winograd` is outside of the promise: its
sums are cut by the sizes of the caches (docs/kernels.md).

## Metrics
docs/metrics.md lists them. Rank 0 records what all ranks have in common; rank k records its own `rank-<k>/step_time_ms`
and `rank-<k>/all_reduce_share`. Without a launcher they are also printed. `--overlap on` prints the overlap fraction of
each epoch: the share of the gradients' time in flight that was hidden behind computing.

## Overlap
With `--overlap on` a bucket of 1 MiB of gradients is sent as soon as the backward pass has filled it; `off` adds all up after
the pass. On one machine the cores that compute also add up, so there is little to hide it behind: 2 ranks on 2 cores, batches
of 128, other work on the machine (load 14 to 17), medians of 5 runs in turn (images/s): `cnn` 2400 off, 2150 on; `mlp` 8300
off, 8300 on, of whose time in flight 19 % was hidden. So `auto` overlaps only across machines. `./x bench allreduce` measures
the sums alone, by size and bucket.

Ranks give their core away while they wait (Open MPI's `mpi_yield_when_idle`, unless mpirun was told otherwise): on that busy
machine `mlp` trained at 8900 to 13100 images/s with it, at 2200 to 3100 without.

## Signals
`SIGUSR1`: all ranks save after the current step and go on. `SIGTERM`: they agree on the step (each step's all-reduce
carries the wish of any rank), save, and leave together with exit code 75. docs/checkpoints.md says what is saved.
)";

static std::string values_of(const OptionRow& row) {
  std::string text = row.type;
  if (!row.unit.empty()) text += ", " + row.unit;
  if (!row.range.empty()) text += ", " + row.range;
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

std::string options_page() {
  std::string page = introduction;
  for (const OptionRow& row : option_table()) {
    const std::string standard = row.default_text();
    page += fmt::format("| `--{}` | {} | {} | {} |\n", row.name, values_of(row),
                        standard.empty() ? "" : "`" + standard + "`", row.help);
  }
  return page + notes;
}

}  // namespace lockstep::runner
