#!/usr/bin/env bash
# scripts/plot_latency.py draws an SVG of what qat-eval bench measured.
# usage: plot_latency_test.sh BIN_DIR
set -euo pipefail
bin=$1 script=$(realpath "$(dirname "$0")/../../scripts/plot_latency.py")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

fail() {
  echo "FAILED: $*"
  exit 1
}
"$bin/qat_random_checkpoint" lenet lenet.ckpt
"$bin/qat-freeze" lenet.ckpt -o lenet.qgraph >log
"$bin/qat-convert" lenet.qgraph --type float32 -o lenet.float32.tflite >log
"$bin/qat-convert" lenet.qgraph --type uint8 --calibrate digits --calibration-limit 20 -o lenet.uint8.tflite >log 2>&1
python3 "$script" --qat-eval "$bin/qat-eval" --threads 2 --repeat 1 -o plot.svg lenet.{uint8,float32}.tflite
python3 - <<'PY' || fail "the plot lacks something: $(cat plot.svg)"
import sys
import xml.etree.ElementTree as tree

root = tree.parse("plot.svg").getroot()
tags = [element.tag.split("}")[1] for element in root.iter()]
texts = [element.text for element in root.iter() if element.text]
labels = {"multiply-accumulates", "median time, µs", "images in a batch", "threads", "lenet.uint8", "lenet.float32"}
# Of each of two models: one place by multiply-accumulates, six batches, two numbers of threads, and the legend.
sys.exit(0 if labels <= set(texts) and tags.count("circle") == 2 * (1 + 6 + 2 + 1) and tags.count("polyline") == 6 else 1)
PY

status=0
python3 "$script" --qat-eval "$bin/qat-eval" -o plot.svg missing.tflite 2>log || status=$?
[[ $status == 1 ]] || fail "a missing model: exit $status"
grep -q 'missing.tflite' log || fail "it said: $(cat log)"
