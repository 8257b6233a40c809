#!/usr/bin/env bash
# Measures the runtime against TFLite's and against its goals: every figure of docs/benchmarks-runtime.md. Long: it
# belongs to no test, and wants a machine with nothing else to do.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/bench_runtime.sh [--build DIR] [--rounds N] [--into-docs] -o DIR [MODEL.tflite ...]
  MODEL        more models, beside the networks of the zoo, which are made without training
  --build      where the programs are built (default: build)
  --rounds     of each comparison (default: 40)
  --into-docs  write tables and plot into docs/ instead of DIR
  -o           networks, tables, logs
TEXT
}

folder=build rounds=40 into_docs=no out="" models=()
while (($# > 0)); do
  case $1 in
    --build) folder=$2 && shift ;;
    --rounds) rounds=$2 && shift ;;
    --into-docs) into_docs=yes ;;
    -o) out=$2 && shift ;;
    -h | --help) usage && exit 0 ;;
    -*) usage >&2 && die 2 "unknown flag '$1'" ;;
    *) models+=("$(cd "$called_from" && realpath "$1")") ;;
  esac
  shift
done
[[ -n $out ]] || { usage >&2 && die 2 "-o DIR is missing"; }
python=build/litert-venv/bin/python bin=$folder/bin
"$python" -c 'import ai_edge_litert, numpy' 2>/dev/null || die 6 "$python has no ai_edge_litert: scripts/setup.sh --tests"
build "$folder" qat-freeze qat-convert qat-eval qat_random_checkpoint qat_runtime_bench qat_pointwise_bench
mkdir -p "$out"

# Random images of a shape, as a data set to calibrate with.
images() {
  "$python" - "$1" "$2" <<'PY'
import sys

import numpy as np

random = np.random.default_rng(2)
x = random.integers(0, 256, (12, *map(int, sys.argv[2].split("x")))).astype(np.uint8)
y = (np.arange(12) % 10).astype(np.uint8)
np.savez(sys.argv[1], x_train=x, y_train=y, x_test=x, y_test=y)
PY
}

# network NAME NETWORK WIDTH RESOLUTION SHAPE: NAME.uint8.tflite, NAME.int8.tflite and NAME.float32.tflite.
network() {
  local name=$out/$1
  say "making $1"
  "$bin/qat_random_checkpoint" "$2" "$name.ckpt" "$3" "$4"
  "$bin/qat-freeze" "$name.ckpt" -o "$name.qgraph" >>"$out/log" 2>&1
  images "$name.npz" "$5"
  "$bin/qat-convert" "$name.qgraph" --type float32 -o "$name.float32.tflite" >>"$out/log" 2>&1
  for type in uint8 int8; do
    "$bin/qat-convert" "$name.qgraph" --type $type --calibrate "$name.npz" -o "$name.$type.tflite" >>"$out/log" 2>&1
  done
}
zoo=(lenet ds_cnn resnet8 resnet20 mobilenet_v1_0.25_32 mobilenet_v2_32)
network lenet lenet 0 0 28x28x1
network ds_cnn ds_cnn 0 0 49x10x1
network resnet8 resnet8 0 0 32x32x3
network resnet20 resnet20 0 0 32x32x3
network mobilenet_v1_0.25_32 mobilenet_v1 0.25 32 32x32x3
network mobilenet_v2_32 mobilenet_v2 0 32 32x32x3
network mobilenet_v2_224 mobilenet_v2 0 224 224x224x3

integers=() plotted=()
for name in "${zoo[@]}"; do
  integers+=("$out/$name.uint8.tflite" "$out/$name.int8.tflite")
  plotted+=("$out/$name.uint8.tflite" "$out/$name.float32.tflite")
done
integers+=("${models[@]}")

status=0
say "bytes under every instruction set on 1 and 2 threads, memory of activations"
"$python" tests/conformance/compare_models.py "$bin/qat-eval" 3 "${integers[@]}" >"$out/equal.txt" || status=1
for threads in 1 2; do
  say "against TFLite, threads: $threads"
  place=(-o "$out/threads$threads.md")
  [[ $into_docs == no ]] || place=(--into docs/benchmarks-runtime.md)
  "$python" scripts/compare_litert.py --bench "$bin/qat_runtime_bench" --float --threads $threads --rounds "$rounds" \
    "${place[@]}" "${integers[@]}" 2>>"$out/log" || status=1
done
# Standard input into its place in the page, or into DIR.
put() {
  if [[ $into_docs == yes ]]; then
    python3 scripts/page_places.py docs/benchmarks-runtime.md "$1"
  else
    cat >"$out/$1.md"
  fi
}
say "1x1 convolutions against the peak"
"$bin/qat_pointwise_bench" | put pointwise
say "start of mobilenet_v2"
"$bin/qat-eval" bench --repeat 3 "$out/mobilenet_v2_224.uint8.tflite" "$out/mobilenet_v2_224.int8.tflite" \
  --json "$out/start.json" --progress none >>"$out/log"
python3 - "$out/start.json" <<'PY' | put start
import json
import pathlib
import sys

print("| model | load, ms | prepare, ms | first answer, ms | sum, ms |\n| --- | --- | --- | --- | --- |")
for row in json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))["benchmarks"]:
    parts = [row[key] / 1000 for key in ("load_us", "prepare_us", "first_us")]
    name = pathlib.Path(row["model"]).name.removesuffix(".tflite")
    print(f"| {name} | " + " | ".join(f"{part:.1f}" for part in [*parts, sum(parts)]) + " |")
PY
say "time against multiply-accumulates, batch and threads"
plot=$out/latency.svg
[[ $into_docs == no ]] || plot=docs/latency.svg
python3 scripts/plot_latency.py --qat-eval "$bin/qat-eval" -o "$plot" "${plotted[@]}"

cat "$out/equal.txt"
[[ $into_docs == yes ]] || cat "$out"/*.md
exit $status
