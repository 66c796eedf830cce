#!/bin/sh
# One fuzz target as a test: run.sh PROGRAM CORPUS. New inputs go to a folder of its own, never into the committed seeds.
set -eu
program=$1 corpus=$2
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
dictionary=$(dirname "$corpus")/$(basename "$corpus").dict
set -- -print_final_stats=1 -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$(basename "$corpus")-"
if [ -f "$dictionary" ]; then set -- "$@" -dict="$dictionary"; fi
if [ -d "$corpus" ]; then seeds=$corpus; else seeds=; fi
if [ "${LOCKSTEP_FUZZ_SECONDS:-}" ]; then
  exec_limit="-max_total_time=$LOCKSTEP_FUZZ_SECONDS"
else
  exec_limit="-runs=20000 -seed=1"
fi
# shellcheck disable=SC2086
"$program" "$@" $exec_limit "$found" $seeds 2>&1 | tail -40 >"$found.log" || :
status=0
grep -q 'stat::number_of_executed_units' "$found.log" && ! grep -q 'SUMMARY:' "$found.log" || status=1
cat "$found.log"
rm -f "$found.log"
exit $status
