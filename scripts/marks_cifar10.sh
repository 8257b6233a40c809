#!/usr/bin/env bash
# Trains networks on CIFAR-10 with the preset cifar10 in float32, goes on from there in int8, judges both as .tflite on the test
# pictures, and prints the table of docs/benchmarks.md. Hours for each network and seed; when started again after an interruption, it
# resumes.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/marks_cifar10.sh [--network NAME] [--seed N] [--scheme NAME] [--epochs X] [--further X] [--archive FILE] [--table-only] [--into-docs] [-o DIR]
  --network     from the zoo; repeatable (default: resnet8 and resnet20)
  --seed        repeatable (default: 1)
  --scheme      int8, uint8 or w4a8, beside float32 (default: int8)
  --epochs      in float32 (default: 200, those of the preset)
  --further     epochs in --scheme, from the float32 network on (default: 10)
  --archive     CIFAR-10 as JPEG files (default: ../shared/data/cifar10-images.tar.gz)
  --table-only  train nothing, print what is finished in DIR
  --into-docs   write the table into docs/benchmarks.md instead of to standard output
  -o            directory for runs, models and reports; finished ones are not made again (default: build/marks)
TEXT
}

networks=() seeds=() scheme=int8 epochs=200 further=10 out="" into_docs=no train=yes
archive=${QAT_TEST_DATA:-$PWD/../shared/data}/cifar10-images.tar.gz
while (($# > 0)); do
  case $1 in
    -h | --help) usage && exit 0 ;;
    --table-only) train=no ;;
    --into-docs) into_docs=yes ;;
    --network | --seed | --scheme | --epochs | --further | --archive | -o)
      (($# > 1)) || die 2 "$1: a value is missing"
      case $1 in
        --network) networks+=("$2") ;;
        --seed) seeds+=("$2") ;;
        --scheme) scheme=$2 ;;
        --epochs) epochs=$2 ;;
        --further) further=$2 ;;
        --archive) archive=$2 ;;
        -o) out=$2 ;;
      esac
      shift
      ;;
    *) usage >&2 && die 2 "unknown flag '$1'" ;;
  esac
  shift
done
((${#networks[@]})) || networks=(resnet8 resnet20)
((${#seeds[@]})) || seeds=(1)
[[ -n $out ]] || out=$PWD/build/marks
[[ $out == /* ]] || out=$called_from/$out
[[ $archive == /* ]] || archive=$called_from/$archive
bin=build/bin
data=build/cifar10

# RUN SCHEME NETWORK SEED FLAG...: trains RUN and makes RUN.tflite of its last checkpoint.
make_model() {
  local run=$1 scheme=$2 network=$3 seed=$4
  shift 4
  [[ ! -f $run.tflite ]] || return 0
  # The last checkpoint is used, so few examples are held out.
  "$bin/qat-train" --preset cifar10 --holdout 1000 --network "$network" --data "$data" --scheme "$scheme" --seed "$seed" --threads 1 \
    "$@" --resume-if-exists -o "$run" >&2
  "$bin/qat-freeze" "$run" --select last -o "$run.qgraph" >&2
  "$bin/qat-convert" "$run.qgraph" --type "$scheme" -o "$run.tflite" >&2
}

judge() {
  local dir=$1 network=$2 seed=$3
  mkdir -p "$dir"
  make_model "$dir/float32" float32 "$network" "$seed" --epochs "$epochs"
  make_model "$dir/$scheme" "$scheme" "$network" "$seed" --init "$dir/float32" --select last --epochs "$further" --learning-rate 0.01 \
    --warmup-fraction 0 --quant-delay-fraction 0.05 --bn-freeze-fraction 0.4
  [[ ! -f $dir/$scheme.json ]] || return 0
  "$bin/qat-eval" compare "$dir/float32.tflite" "$dir/$scheme.tflite" --data "$data" --repeat 0 --litert off --threads 1 \
    --json "$dir/$scheme.json" >&2
}

if [[ $train == yes ]]; then
  [[ -x $bin/qat-train ]] || die 3 "$bin/qat-train does not exist; run scripts/demo.sh, or build first"
  scripts/unpack_cifar10.sh "$archive" "$data"
  for network in "${networks[@]}"; do
    for seed in "${seeds[@]}"; do judge "$out/$network/seed$seed" "$network" "$seed"; done
  done
fi

if [[ $into_docs == yes ]]; then
  table=$(scripts/marks_table.py "$scheme" "$out")
  python3 scripts/page_places.py docs/benchmarks.md "marks $scheme" <<<"$table"
else
  scripts/marks_table.py "$scheme" "$out"
fi
