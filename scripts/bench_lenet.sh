#!/usr/bin/env bash
# Trains a recipe, and the same recipe in float, with several seeds; converts, evaluates on the whole test set, and prints the
# table of docs/benchmarks.md. It takes long and is not part of any test.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/bench_lenet.sh [--data DIR] [--preset lenet|lenet-article] [--seeds "1 2 3"] [--no-float] -o DIR
  --data      MNIST's IDX files (default: digits)
  --no-float  do not train the same recipe in float
  -o          directory for runs, models and reports; finished ones are not made again
TEXT
}

data=digits preset=lenet seeds="1 2 3" out="" with_float=yes
while (($# > 0)); do
  case $1 in
    --data) data=$2 && shift ;;
    --preset) preset=$2 && shift ;;
    --seeds) seeds=$2 && shift ;;
    --no-float) with_float=no ;;
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

python3 - "$out" $seeds <<'PY'
import json, statistics, sys

out, seeds = sys.argv[1], sys.argv[2:]
rows = {}
for seed in seeds:
    report = json.load(open(f"{out}/seed{seed}/eval.json"))
    for model in report["models"]:
        name = model["name"].split("/")[-1]
        rows.setdefault(name, []).append(model["accuracy"]["top1"])
print("| row | " + " | ".join(f"seed {seed}" for seed in seeds) + " | mean | spread |")
print("| --- |" + " --- |" * (len(seeds) + 2))
for name, values in rows.items():
    cells = " | ".join(f"{value:.2f}" for value in values)
    print(f"| {name} | {cells} | {statistics.mean(values):.3f} | {max(values) - min(values):.2f} |")
PY
