#!/usr/bin/env bash
# Sets up, builds and runs all tests.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/test.sh [--with-no-torch] [CTEST FLAGS]
  --with-no-torch  also build the programs without LibTorch, and check their messages if it is needed
Environment:
  QAT_TEST_DATA     directory with real data (default: ../shared/data); if it does not exist, tests that need it are skipped
  QAT_TEST_REQUIRE  1: a test that would be skipped fails instead
Example: scripts/test.sh -R NudgedParams
TEXT
}

with_no_torch=no
case ${1-} in
  -h | --help)
    usage
    exit 0
    ;;
  --with-no-torch)
    with_no_torch=yes
    shift
    ;;
esac

# Everything after training works without LibTorch; what needs it says so and exits 4.
check_without_torch() {
  configure no-torch build-no-torch -DQAT_BUILD_TESTS=OFF
  build build-no-torch
  local bin=build-no-torch/bin scratch=build-no-torch/check code=0 answer
  rm -rf "$scratch"
  mkdir "$scratch"
  build/bin/qat-train --steps 2 --batch-size 4 --holdout 100 --log-level error --progress none -o "$scratch/run" >/dev/null
  "$bin/qat-freeze" "$scratch/run" -o "$scratch/g.qgraph" --log-level error
  "$bin/qat-convert" "$scratch/g.qgraph" -o "$scratch/m.tflite" --log-level error
  "$bin/qat-eval" --data digits --limit 100 --graph "$scratch/g.qgraph" --model "$scratch/m.tflite" --progress none >/dev/null
  answer=$("$bin/qat-eval" --data digits --limit 1 --checkpoint "$scratch/run" 2>&1 >/dev/null) || code=$?
  [[ $code == 4 ]] || die 1 "without LibTorch, qat-eval --checkpoint exits $code, expected 4: $answer"
  say "without LibTorch: freeze, convert and eval work, and --checkpoint exits 4 ($answer)"
}

scripts/setup.sh --tests
configure release build
build build
[[ $with_no_torch == no ]] || check_without_torch
say "running the tests"
started=$SECONDS
ctest --test-dir build -j "$(nproc)" --output-on-failure "$@" || die 1 "tests failed; they are listed above"
say "all tests passed in $((SECONDS - started)) s"
