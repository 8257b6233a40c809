#!/usr/bin/env bash
# Makes the table of docs/benchmarks.md on CIFAR-10: for each network, one float run of 24 epochs, followed by three runs of 6 more
# epochs each: float32, uint8 and int8. Compares float, post-training uint8, and quantization-aware uint8 and int8. Takes about 75
# minutes on two cores; when started again after an interruption, it resumes.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage="usage: scripts/train_cifar10.sh [--archive cifar10-images.tar.gz] [--out DIR] [--threads N] [NETWORK …]"
archive=${QAT_TEST_DATA:-$PWD/../shared/data}/cifar10-images.tar.gz
out=build/cifar10-runs
threads=0
networks=()
while (($#)); do
  case $1 in
    --archive | --out | --threads)
      (($# > 1)) || die 2 "$1 expects a value; $usage"
      declare "${1#--}=$2"
      shift 2
      ;;
    --help) echo "$usage" && exit 0 ;;
    -*) die 2 "unknown flag $1; $usage" ;;
    *)
      networks+=("$1")
      shift
      ;;
  esac
done
[[ $archive == /* ]] || archive=$called_from/$archive
((${#networks[@]})) || networks=(resnet8 mobilenet_v1)

bin=build/bin
[[ -x $bin/qat-train ]] || die 3 "$bin/qat-train does not exist; run scripts/demo.sh, or build first"
data=build/cifar10
scripts/unpack_cifar10.sh "$archive" "$data"

# MobileNet at a quarter of its width, for pictures of 32x32.
flags_of() {
  case $1 in
    mobilenet_*) echo "--network $1 --width 0.25 --resolution 32" ;;
    *) echo "--network $1" ;;
  esac
}

train() {
  "$bin/qat-train" --config scripts/cifar10_short.toml --data "$data" --threads "$threads" --resume-if-exists "$@" >&2
}

# RUN MODEL [FLAGS of qat-convert]: freezes RUN and converts it.
convert() {
  local run=$1 model=$2
  shift 2
  "$bin/qat-freeze" "$run" -o "$run/model.qgraph" >&2
  "$bin/qat-convert" "$run/model.qgraph" "$@" -o "$model" >&2
}

for network in "${networks[@]}"; do
  run=$out/$network
  # shellcheck disable=SC2046  # several flags
  train $(flags_of "$network") --scheme float32 --epochs 24 -o "$run/base"
  for scheme in float32 uint8 int8; do
    # shellcheck disable=SC2046
    train $(flags_of "$network") --init "$run/base" --select last --scheme "$scheme" --epochs 6 --learning-rate 0.01 \
      --warmup-steps 0 --quant-delay-fraction 0.05 --bn-freeze-fraction 0.4 -o "$run/$scheme"
  done
  convert "$run/float32" "$run/float32.tflite" --type float32
  convert "$run/float32" "$run/ptq-uint8.tflite" --type uint8 --calibrate "$data" --calibration-limit 1000
  convert "$run/uint8" "$run/uint8.tflite" --type uint8
  convert "$run/int8" "$run/int8.tflite" --type int8
  # Each quantization-aware model compared with its own training, then all models with each other.
  for scheme in uint8 int8; do
    "$bin/qat-eval" --data "$data" --checkpoint "$run/$scheme" --model "$run/$scheme.tflite" --repeat 0 --json "$run/$scheme.json"
  done
  "$bin/qat-eval" --data "$data" --float "$run/float32" --model "$run/float32.tflite" --model "$run/ptq-uint8.tflite" \
    --model "$run/uint8.tflite" --model "$run/int8.tflite" --json "$run/report.json" --html "$run/report.html"
done
