#!/usr/bin/env bash
# scripts/compare_litert.py on a small network: tables, goals and their place in a page.
# usage: compare_litert_test.sh PYTHON BIN_DIR; exit 77: that Python has no TFLite.
set -euo pipefail
python=$1 bin=$2 script=$(realpath "$(dirname "$0")/../../scripts/compare_litert.py")
if ! "$python" -c 'import ai_edge_litert, flatbuffers, numpy' 2>/dev/null; then
  echo "$python has no ai_edge_litert"
  [[ ${QAT_TEST_REQUIRE:-} == 1 ]] && exit 1
  exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

fail() {
  echo "FAILED: $*"
  exit 1
}
compare() {
  "$python" "$script" --bench "$bin/qat_runtime_bench" --isas portable --rounds 2 --examples 2 "$@" lenet.uint8.tflite
}

"$bin/qat_random_checkpoint" lenet lenet.ckpt
"$bin/qat-freeze" lenet.ckpt -o lenet.qgraph >freeze.log
"$bin/qat-convert" lenet.qgraph --type uint8 --calibrate digits --calibration-limit 20 -o lenet.uint8.tflite >convert.log 2>&1

printf 'before\n<!-- compare_litert, 2 threads -->\nold\n<!-- end -->\nbehind\n' >page.md
compare --float --threads 2 --into page.md 2>compare.log || fail "exit $?, $(cat compare.log)"
grep -q '^| lenet.uint8 | .* | 0 |$' page.md || fail "no row of the integers: $(cat page.md)"
grep -q '^| lenet.uint8, as float | .* | 0 |$' page.md || fail "no row of the floats: $(cat page.md)"
grep -q '^| LeNet uint8: at most 0.5 × XNNPACK | [01] of 1 | ' page.md || fail "no goals: $(cat page.md)"
[[ $(head -1 page.md) == before && $(tail -1 page.md) == behind ]] || fail "the page around it changed: $(cat page.md)"
! grep -q '^old$' page.md || fail "the old table is still there"

status=0
compare --into page.md 2>compare.log || status=$?
[[ $status == 2 ]] || fail "a page without a place for one thread: exit $status"
grep -q 'page.md: has no place for the table of --threads 1' compare.log || fail "it said: $(cat compare.log)"
