#!/bin/sh
# run_precisions.sh PYTHON BIN TYPES INPUTS SPEC.toml ...: networks that qat-convert makes models of each of TYPES (separated by
# commas) of, held against ai-edge-litert, each on INPUTS random inputs.
# Without that Python: 77 (skipped), or a failure under QAT_TEST_REQUIRE=1.
set -eu
python=$1 bin=$2 types=$3 inputs=$4
shift 4
. "$(dirname "$0")/../support/skip.sh"
"$python" -c 'import ai_edge_litert, flatbuffers, numpy' 2>/dev/null ||
  skip "$python has no ai_edge_litert: the comparison with TFLite was not made"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$(dirname "$0")
"$python" "$here/make_precisions.py" "$bin" "$types" "$work" "$@"
for type in $(echo "$types" | tr , ' '); do
  "$python" "$here/compare_models.py" --bytes-only "$bin/qat-eval" "$inputs" "$work"/*."$type".tflite
done
