#!/bin/sh
# run_onnx.sh PYTHON QAT_CONVERT QAT_EVAL FIXTURES DATA INPUTS: .onnx files of PyTorch's exporters, quantized from pictures or series, with the
# channels last and first, held against ai-edge-litert, each on INPUTS random inputs.
# Without that Python or the pictures: 77 (skipped), or a failure under QAT_TEST_REQUIRE=1.
set -eu
python=$1 qat_convert=$2 qat_eval=$3 fixtures=$4 data=${QAT_TEST_DATA:-$5} inputs=$6
. "$(dirname "$0")/../support/skip.sh"
"$python" -c 'import ai_edge_litert, flatbuffers, numpy' 2>/dev/null || skip "$python has no ai_edge_litert"
[ -d "$data/photos" ] || skip "$data/photos: no such folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for network in script dynamo batch_norms maps; do
  sizes=
  [ $network != maps ] || sizes="--input-shape 1,3,8,6"
  for layout in nhwc nchw; do
    for type in int8 uint8; do
      # shellcheck disable=SC2086  # two words or none
      "$qat_convert" "$fixtures/$network.onnx" $sizes --calibrate "$data/photos" --mean 127.5 --std 127.5 --type $type --input-layout $layout \
        -o "$work/$network.$layout.$type.tflite" --progress none >/dev/null
    done
  done
done
# The arrays of the source have the channels first, data have them last.
"$python" -c 'import numpy, sys; numpy.save(sys.argv[2], numpy.load(sys.argv[1]).transpose(0, 2, 1))' "$fixtures/recurrent_x.npy" "$work/series.npy"
for type in int8 uint8; do
  "$qat_convert" "$fixtures/recurrent.onnx" --verify "$fixtures/recurrent_x.npy" "$fixtures/recurrent_y.npy" --calibrate "$work/series.npy" --type $type \
    -o "$work/recurrent.$type.tflite" --progress none >/dev/null
done
"$python" "$(dirname "$0")/compare_models.py" "$qat_eval" "$inputs" "$work"/*.tflite
