#!/bin/sh
# run.sh PYTHON CASES COUNT SEED: makes random models with the program CASES and holds them against ai-edge-litert.
# Without that Python: 77 (skipped), or a failure under QAT_TEST_REQUIRE=1.
set -eu
python=$1 cases=$2 count=$3 seed=$4
if ! "$python" -c 'import ai_edge_litert, numpy' 2>/dev/null; then
  echo "$python has no ai_edge_litert: the comparison with TFLite was not made"
  if [ "${QAT_TEST_REQUIRE:-0}" = 1 ]; then exit 1; fi
  exit 77
fi
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
"$cases" "$directory" "$count" "$seed"
"$python" "$(dirname "$0")/compare_with_litert.py" "$directory"
