#!/usr/bin/env bash
# Repeats the mistake of the article of 2020 on a trained run: (mean 0, std 1) as input statistics, and test images cast to
# uint8. Prints the accuracy for each half; docs/case-study-lenet.md explains the table.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

(($# == 3)) || die 2 "usage: scripts/case_study.sh RUN MNIST_DIR OUTPUT_DIR"
run=$1 data=$2 out=$3
bin=build/bin
mkdir -p "$out"
scripts/truncate_idx.py "$data" "$out/truncated" >/dev/null
"$bin/qat-freeze" "$run" -o "$out/model.qgraph" >/dev/null
"$bin/qat-convert" "$out/model.qgraph" --type uint8 -o "$out/contract.tflite" >/dev/null
# The article's flags: quantized_input_stats (0, 1), default_ranges_stats (0, 255).
"$bin/qat-convert" "$out/model.qgraph" --type uint8 --input-stats 0,1 --default-range 0,255 -o "$out/article.tflite" >/dev/null

accuracy() {
  "$bin/qat-eval" --data "$1" --model "$2" --repeat 0 --progress none --log-level error --json - |
    python3 -c 'import json, sys; print("%.2f" % json.load(sys.stdin)["models"][0]["accuracy"]["top1"])'
}

echo "| model | images | accuracy |"
echo "| --- | --- | --- |"
echo "| correct input contract | as they are | $(accuracy "$data" "$out/contract.tflite") % |"
echo "| correct input contract | cast to uint8 | $(accuracy "$out/truncated" "$out/contract.tflite") % |"
echo "| input statistics (0, 1) | as they are, rounded to steps of 1.0 | $(accuracy "$data" "$out/article.tflite") % |"
echo "| input statistics (0, 1) | cast to uint8: the article | $(accuracy "$out/truncated" "$out/article.tflite") % |"

# Which threshold between rounding and truncation would explain the article's 3.52 points?
echo
echo "| smallest byte that becomes 1 | accuracy |"
echo "| --- | --- |"
for brightness in 64 128 192 224 240 248 250 252 253 254 255; do
  scripts/truncate_idx.py "$data" "$out/brightness" "$brightness" >/dev/null
  echo "| $brightness | $(accuracy "$out/brightness" "$out/article.tflite") % |"
done
