#!/bin/sh
# run_imports.sh PYTHON QAT_CONVERT QAT_EVAL DATA INPUTS: models of others under $QAT_TEST_DATA (or DATA), imported, quantized again from
# pictures and held against ai-edge-litert, each on INPUTS random inputs.
# Without that Python, the models or the pictures: 77 (skipped), or a failure under QAT_TEST_REQUIRE=1.
set -eu
python=$1 qat_convert=$2 qat_eval=$3 data=${QAT_TEST_DATA:-$4} inputs=$5
. "$(dirname "$0")/../support/skip.sh"
"$python" -c 'import ai_edge_litert, flatbuffers, numpy' 2>/dev/null || skip "$python has no ai_edge_litert"
[ -d "$data/tflite-models" ] || skip "$data/tflite-models: no such folder"
[ -d "$data/photos" ] || skip "$data/photos: no such folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for model in mobilenet_v1_0.25_128_quant tf2_mobilenet_v2_1.0_224_ptq; do
  for type in int8 uint8 int16x8 w4a8; do
    "$qat_convert" "$data/tflite-models/$model.tflite" --calibrate "$data/photos" --type $type -o "$work/$model.$type.tflite" \
      --progress none >/dev/null
  done
done
here=$(dirname "$0")
"$python" "$here/compare_models.py" "$qat_eval" "$inputs" "$work"/*int8.tflite
"$python" "$here/compare_models.py" --bytes-only "$qat_eval" "$inputs" "$work"/*.int16x8.tflite "$work"/*.w4a8.tflite
