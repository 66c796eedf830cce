#include "launcher/spec/job_file_page.hpp"

#include <fmt/format.h>

#include "launcher/spec/key_table.hpp"

namespace lockstep::spec {

namespace {

constexpr std::string_view introduction = R"(# Job files
A job file describes one run. It is the command job of Azure ML CLI v2 (`az ml job create -f job.yml`), with the same
keys, defaults and expressions, so a file that runs there runs here. One key is ours, `preparation`: a file that has it
needs it taken out to run there.

```yaml
# job.yml
experiment_name: fashion-mnist
code: src
command: python train.py --data ${{inputs.data}} --lr ${{inputs.lr}} $[[--resume ${{inputs.weights}}]]
inputs:
  data: {type: uri_folder, path: ./data}
  lr: 0.1
  weights: {type: uri_file, optional: true}
environment_variables:
  OMP_NUM_THREADS: 1
distribution: {type: mpi, process_count_per_instance: 2}
limits: {timeout: 3600}
```

`lockstep job validate FILE` reads a file and changes nothing. `lockstep run FILE` runs it in this terminal,
`lockstep job create -f FILE` in the background.

## Strict
Every mistake of a file is reported at once, as `file:line:column: what; did you mean ...` (lines and columns count from
1, columns count bytes), the exit code is 2, and nothing is created. Unknown keys, keys that are there twice, wrong
types, missing keys, numbers out of range, and expressions that name what is not there are mistakes. So are a file of
more than 1 MiB, more than 64 levels of nesting, more than 100,000 values (counting what aliases repeat), bytes that are
not UTF-8, control characters, merge keys (`<<`), a second document, and tags outside YAML's core.

Tolerated because Azure ML tolerates it: words of a choice in upper or lower case, whole numbers in quotes, and the keys
that `az ml job show` writes (marked below).

## Values
A text is taken as it is written: `1`, `yes` and `1e-3` need no quotes as an input or an environment variable. A plain
text as an input is a literal even if it looks like a URL or a path; data is a mapping with `path`. Paths are relative
to the job file.

## Expressions
| expression | becomes | allowed in |
|---|---|---|
| `${{inputs.x}}` | the literal, or the path where the ranks find the data | command, preparation, environment_variables |
| `${{outputs.x}}` | the path to write to | command, preparation, environment_variables |
| `${{name}}` | the run's name | command, preparation, environment_variables, outputs.*.path |
| `${{default_datastore}}` | the default datastore's name | outputs.*.path |
| `${{secrets.X}}` | the variable X of whoever submits the run | environment_variables, inputs.*.path |
| `$[[ ... ]]` | its content, or nothing if an optional input in it is unset | around any of these |

Blanks inside the braces are allowed. The value of an environment variable whose name says that it is a secret
(`*PASSWORD*`, `*SECRET*`, `*CREDENTIAL*`, `*_KEY`, `*TOKEN`, `*_SAS`, ...) is never written to the run's folder:
the job file there has `${{secrets.X}}` in its place. So has an input's address in place of a login and of its query (a SAS
token, say): `https://host/a.csv?${{secrets.DATA_QUERY}}` for the input `data`. Where no reference can stand (command,
description, tags, a literal whose name says that it is secret) the value is masked, and a note warns of a command that
has one: every user of the machine can read argument lists.

## Preparing the nodes
```yaml
preparation: pip install --user -r requirements.txt
```
Batch AI's `jobPreparation`: a command for `bash -c` that runs once on each node, by its first rank, in that rank's
environment and working folder; no rank of any node starts before all nodes are prepared. Nodes that are slots of this
machine are nodes here, too. Until then the run is Preparing; `limits.timeout` counts. `lockstep run` says which nodes are
being prepared and how long each took. What the command prints is in `logs/prepare-<node>.log`, nodes counted from 0. If it
fails on a node the run fails with its exit code, and names that node with the last lines. A run that begins again
([supervision.md](supervision.md)) prepares its nodes again, so the command should bear being run twice.

## --set
`--set a.b.c=v` (several are allowed) replaces or adds one value before the file is checked; mappings on the way are
made if they are missing. A value that begins with `[`, `{`, `"` or `'` is YAML, `null` and `~` are null, anything else
is the text as it stands. Mistakes are reported as `--set:<which>:<column>: what`.

## Keys
`*` stands for any name. A key that must be there is marked with !.

| key | takes | default | meaning |
|---|---|---|---|
)";

// In a cell of a Markdown table a bar would end it.
std::string cell(std::string_view content) {
  std::string escaped;
  for (const char c : content) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

std::string range_of(const KeyRow& row) {
  if (row.minimum == LONG_MIN) return "a whole number";
  return row.maximum == INT_MAX ? fmt::format("a whole number from {}", row.minimum)
                                : fmt::format("a whole number from {} to {}", row.minimum, row.maximum);
}

std::string takes(const KeyRow& row) {
  std::vector<std::string> kinds;
  if (row.accepts & text) kinds.emplace_back("text");
  if (row.accepts & integer) kinds.push_back(range_of(row));
  if (row.accepts & boolean) kinds.emplace_back("`true`, `false`");
  if (row.accepts & choice) {
    std::vector<std::string> words;
    for (const Word& w : row.words)
      if (w.word == w.meaning) words.push_back(fmt::format("`{}`", w.word));
    kinds.push_back(fmt::format("{}", fmt::join(words, ", ")));
  }
  if (row.accepts & mapping) kinds.emplace_back("a mapping");
  if (row.accepts & text_list) kinds.emplace_back("a list of texts");
  if (row.accepts & anything) kinds.emplace_back("anything");
  if (row.accepts & null) kinds.emplace_back("null");
  return fmt::format("{}", fmt::join(kinds, " or "));
}

}  // namespace

std::string job_file_page() {
  std::string page(introduction);
  for (const KeyRow& row : job_keys())
    page += fmt::format("| `{}`{} | {} | {} | {} |\n", row.path, row.required ? " !" : "", cell(takes(row)),
                        cell(row.fallback), cell(row.help));
  return page;
}

}  // namespace lockstep::spec
