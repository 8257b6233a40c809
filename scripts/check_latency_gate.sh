#!/usr/bin/env bash
# Can the latency gate distinguish a slower model from a busy machine? scripts/check_latency_gate.sh [noisy|quiet] [RUNS]
# noisy: with two busy loops running, a copy of the reference must pass.
# quiet: a model with eleven equal layers instead of ten, which is 10 % slower, must fail, and a copy of the reference must pass.
# Prints the counts; exit code 1 if any verdict was wrong.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mode=${1:-noisy}
runs=${2:-20}
work=build/latency-gate
bin=build/bin
mkdir -p "$work"

# $1 equal layers after a first one; trained for a few steps only, because times do not depend on weights.
network() {
  printf 'name = "stack%s"\n[input]\nheight = 28\nwidth = 28\nchannels = 1\n' "$1"
  printf '[[layer]]\nname = "first"\nop = "conv_2d"\nfilters = 32\nkernel = 3\nstride = 2\nactivation = "relu"\n'
  for i in $(seq "$1"); do
    printf '[[layer]]\nname = "equal%s"\nop = "conv_2d"\nfilters = 32\nkernel = 3\nactivation = "relu"\n' "$i"
  done
  printf '[[layer]]\nname = "logits"\nop = "fully_connected"\nunits = 10\n'
}

model() {
  local path=$work/stack$1.tflite
  if [ -e "$path" ]; then return; fi
  network "$1" > "$work/stack$1.toml"
  rm -rf "$work/run$1"
  "$bin/qat-train" --data digits --network "$work/stack$1.toml" --steps 20 --quant-delay 10 --batch-size 16 \
    --holdout 100 --eval-every 20 --progress none -o "$work/run$1" > /dev/null
  "$bin/qat-freeze" "$work/run$1" -o "$work/stack$1.qgraph" > /dev/null
  "$bin/qat-convert" "$work/stack$1.qgraph" -o "$path" > /dev/null
}

model 10
model 11
cp "$work/stack10.tflite" "$work/copy.tflite"

# judge NAME MODEL EXPECTED FLAGS...: runs the gate RUNS times on MODEL against stack10; EXPECTED is the correct exit code.
wrong_at_all=0
judge() {
  local name=$1 judged=$2 expected=$3 wrong=0 noisy=0 code
  shift 3
  for i in $(seq "$runs"); do
    code=0
    "$bin/qat-eval" --data digits --limit 400 --model "$work/stack10.tflite" --model "$judged" --litert off \
      --seed "$i" --progress none "$@" > "$work/out.txt" 2> "$work/err.txt" || code=$?
    if [ "$code" -gt 1 ]; then
      cat "$work/err.txt"
      exit "$code"
    fi
    [ "$code" = "$expected" ] || wrong=$((wrong + 1))
    if grep -q "too noisy to tell" "$work/out.txt"; then noisy=$((noisy + 1)); fi
    grep "^times: " "$work/out.txt" | sed "s/^/  $name $i: exit $code, /"
  done
  echo "$name: $((runs - wrong)) of $runs correct, $noisy \"too noisy to tell\""
  wrong_at_all=$((wrong_at_all + wrong))
}

case $mode in
  noisy)
    # A limit slightly above the model's time on this machine in its present state.
    limit=$("$bin/qat-eval" bench "$work/stack10.tflite" --json - | sed -n 's/^ *"p50": \([0-9.]*\).*/\1/p' | head -1)
    limit=$(awk "BEGIN {print 1.1 * $limit}")
    ( while :; do :; done ) & first=$!
    ( while :; do :; done ) & second=$!
    trap 'kill $first $second 2> /dev/null' EXIT
    judge "copy, ratio at most 1.02" "$work/copy.tflite" 0 --max-latency-ratio "$work/stack10.tflite=1.02"
    judge "copy, at most $limit µs" "$work/copy.tflite" 0 --max-latency "$limit"
    ;;
  quiet)
    judge "10 % slower, ratio at most 1.02" "$work/stack11.tflite" 1 --max-latency-ratio "$work/stack10.tflite=1.02"
    judge "copy, ratio at most 1.02" "$work/copy.tflite" 0 --max-latency-ratio "$work/stack10.tflite=1.02"
    ;;
  *)
    die 2 "usage: scripts/check_latency_gate.sh [noisy|quiet] [RUNS]"
    ;;
esac
[ "$wrong_at_all" = 0 ]
