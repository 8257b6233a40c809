#!/bin/sh
# run_models.sh PYTHON QAT_EVAL DATA INPUTS: holds the models of others under $QAT_TEST_DATA (or DATA) against ai-edge-litert, each
# on INPUTS random inputs.
# Without that Python or without the models: 77 (skipped), or a failure under QAT_TEST_REQUIRE=1.
set -eu
python=$1 qat_eval=$2 models=${QAT_TEST_DATA:-$3}/tflite-models inputs=$4
. "$(dirname "$0")/../support/skip.sh"
"$python" -c 'import ai_edge_litert, flatbuffers, numpy' 2>/dev/null || skip "$python has no ai_edge_litert"
[ -d "$models" ] || skip "$models: no such folder"
"$python" "$(dirname "$0")/compare_models.py" "$qat_eval" "$inputs" "$models"/*.tflite
