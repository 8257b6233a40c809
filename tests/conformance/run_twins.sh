#!/bin/sh
# run_twins.sh PYTHON BIN INPUTS SPEC.toml ...: networks as twins of uint8 and int8, held against each other in ai-edge-litert, each on
# INPUTS random inputs. Without that Python: 77 (skipped), or a failure under QAT_TEST_REQUIRE=1.
set -eu
python=$1 bin=$2 inputs=$3
shift 3
. "$(dirname "$0")/../support/skip.sh"
"$python" -c 'import ai_edge_litert, numpy' 2>/dev/null || skip "$python has no ai_edge_litert: the comparison with TFLite was not made"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" "$(dirname "$0")/compare_twins.py" "$bin" "$inputs" "$work" "$@"
