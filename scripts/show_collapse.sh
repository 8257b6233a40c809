#!/usr/bin/env bash
# Post-training quantization collapses if the channels of a filter have very different ranges and share one scale;
# repairs without training and quantization-aware training restore the accuracy, and qat-eval names the layer. Takes some minutes on
# two cores.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

(($# == 2)) || die 2 "usage: scripts/show_collapse.sh MNIST_DIR OUTPUT_DIR"
data=$(cd "$called_from" && realpath -e "$1") || die 3 "$1: is not a directory"
out=$(cd "$called_from" && realpath -m "$2")
bin=build/bin
[[ -x $bin/qat-train ]] || die 3 "$bin/qat-train does not exist; run scripts/demo.sh, or build first"
mkdir -p "$out"
[[ -e $out/sensors.npz ]] || scripts/two_sensors.py "$data" "$out/sensors.npz"

train() {
  "$bin/qat-train" --preset lenet --network scripts/two_sensors.toml --data "$out/sensors.npz" --mean 0 --std 16 --batch-size 64 --epochs 3 \
    --threads 1 --resume-if-exists "$@" >&2
}

# RUN TYPE MODEL [FLAGS of qat-convert]
convert() {
  local run=$1 type=$2 model=$3
  shift 3
  "$bin/qat-freeze" "$run" -o "$run/model.qgraph" >&2
  "$bin/qat-convert" "$run/model.qgraph" --type "$type" -o "$model" "$@" >&2
}

train --scheme float32 --learning-rate 4e-3 -o "$out/float32"
train --scheme uint8 --learning-rate 2e-3 --quant-delay 100 --bn-freeze-fraction 0.5 --init "$out/float32" --select last \
  -o "$out/uint8"
rows=()
for type in uint8 int8-per-tensor int8 int16x8 w4a8; do
  for repair in none equalize adaround bias auto; do
    model=$out/ptq-$type-$repair.tflite
    convert "$out/float32" $type "$model" --calibrate "$out/sensors.npz" --calibration-limit 1000 --repair $repair
    rows+=(--model "$model")
  done
done
for type in uint8 int8-per-tensor int8 w4a8; do
  for observer in moving-average percentile mse kl; do
    model=$out/ptq-$type-$observer.tflite
    convert "$out/float32" $type "$model" --calibrate "$out/sensors.npz" --calibration-limit 1000 --observer $observer
    rows+=(--model "$model")
  done
done
convert "$out/uint8" uint8 "$out/qat-uint8.tflite"
"$bin/qat-eval" --data "$out/sensors.npz" --float "$out/float32" --graph "$out/float32/model.qgraph" \
  "${rows[@]}" --model "$out/qat-uint8.tflite" \
  --json "$out/report.json" --html "$out/report.html"
