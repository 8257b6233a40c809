#!/bin/sh
# run.sh PYTHON CASES COUNT SEED: makes random models with the program CASES and holds them against ai-edge-litert.
# Without that Python: 77 (skipped), or a failure under QAT_TEST_REQUIRE=1.
set -eu
python=$1 cases=$2 count=$3 seed=$4
. "$(dirname "$0")/../support/skip.sh"
"$python" -c 'import ai_edge_litert, numpy' 2>/dev/null ||
  skip "$python has no ai_edge_litert: the comparison with TFLite was not made"
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
"$cases" "$directory" "$count" "$seed"
"$python" "$(dirname "$0")/compare_with_litert.py" "$directory"
