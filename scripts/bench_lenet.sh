#!/usr/bin/env bash
# Trains a recipe, and the same recipe in float, with several seeds; converts, evaluates on the whole test set, and prints the
# table of docs/benchmarks.md. It takes long and is not part of any test.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/bench_lenet.sh [--data DIR] [--preset lenet|lenet-article] [--seeds "1 2 3"] [--no-float] [--into-docs] -o DIR
  --data       MNIST's IDX files (default: digits)
  --no-float   do not train the same recipe in float
  --into-docs  write the table into docs/benchmarks.md instead of to standard output
  -o           directory for runs, models and reports; finished ones are not made again
TEXT
}

data=digits preset=lenet seeds="1 2 3" out="" with_float=yes into_docs=no
while (($# > 0)); do
  case $1 in
    --data) data=$2 && shift ;;
    --preset) preset=$2 && shift ;;
    --seeds) seeds=$2 && shift ;;
    --no-float) with_float=no ;;
    --into-docs) into_docs=yes ;;
    -o) out=$2 && shift ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && die 2 "unknown flag '$1'" ;;
  esac
  shift
done
[[ -n $out ]] || { usage >&2 && die 2 "-o DIR is missing"; }
bin=build/bin
mkdir -p "$out"

for seed in $seeds; do
  dir=$out/seed$seed
  mkdir -p "$dir"
  "$bin/qat-train" --preset "$preset" --data "$data" --seed "$seed" --resume-if-exists -o "$dir/quantized"
  rows=(--checkpoint "$dir/quantized")
  if [[ $with_float == yes ]]; then
    "$bin/qat-train" --preset "$preset" --data "$data" --seed "$seed" --scheme float32 --resume-if-exists -o "$dir/float"
    rows+=(--float "$dir/float")
  fi
  "$bin/qat-freeze" "$dir/quantized" -o "$dir/model.qgraph"
  "$bin/qat-convert" "$dir/model.qgraph" --type uint8 -o "$dir/uint8.tflite"
  "$bin/qat-convert" "$dir/model.qgraph" --type float32 -o "$dir/float32.tflite"
  "$bin/qat-eval" --data "$data" "${rows[@]}" --graph "$dir/model.qgraph" --model "$dir/float32.tflite" \
    --model "$dir/uint8.tflite" --threads 1 --json "$dir/eval.json" --html "$dir/report.html"
done

reports=()
for seed in $seeds; do reports+=("$out/seed$seed/eval.json"); done
if [[ $into_docs == yes ]]; then
  scripts/lenet_table.py "${reports[@]}" | python3 scripts/page_places.py docs/benchmarks.md "$preset"
else
  scripts/lenet_table.py "${reports[@]}"
fi
