#!/usr/bin/env bash
# Builds qat-train with another LibTorch than the system's, runs every test of training with it, and continues a run of the system's
# under it and back. Exit code 1 where a test fails or a run does not reach its end.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/test_libtorch.sh --libtorch DIR [--build FOLDER] [--jobs N]
  --libtorch DIR  torch/ of PyTorch's Python package, or PyTorch's C++ archive
  --build FOLDER  where to build with it (default: build-libtorch)
  --jobs N        compilers at a time (default: 2)
The system's build is build/, as `cmake --preset release && cmake --build build` makes it.
TEXT
}

libtorch='' folder=build-libtorch jobs=2
set_flag() {
  case $1 in
    --libtorch) libtorch=$(cd "$called_from" && realpath -e "$2" 2>/dev/null) || die 3 "--libtorch: $2 is not a directory" ;;
    --build) folder=$2 ;;
    --jobs) jobs=$2 ;;
  esac
}
read_flags "--libtorch --build --jobs" "$@"
[[ -n $libtorch ]] || { usage >&2 && die 2 "--libtorch is missing"; }
[[ -f $libtorch/share/cmake/Torch/TorchConfig.cmake ]] ||
  die 3 "--libtorch: $libtorch has no share/cmake/Torch/TorchConfig.cmake, expected torch/ of a Python package or a C++ archive"
theirs=build/bin/qat-train
[[ -x $theirs ]] || die 3 "$theirs is missing; build with the system's LibTorch first"

configure release "$folder" -B "$folder" "-DQAT_LIBTORCH=$libtorch"
build "$folder" -j "$jobs" qat-train qat_train_test
ours=$folder/bin/qat-train
ldd "$ours" | grep -q "$libtorch" || die 1 "$ours is not linked with $libtorch; remove $folder"

say "running the tests of training"
"$folder/bin/qat_train_test" >"$folder/train_test.log" 2>&1 || {
  grep 'FAILED\|Failure' "$folder/train_test.log" | tail -20 >&2
  die 1 "tests failed, see $folder/train_test.log"
}
say "$(grep -o '[0-9]* tests\? from [0-9]* test suites\? ran' "$folder/train_test.log"), all passed"

# 300 steps under each in turn; an interrupt ends a run with a checkpoint of its last step.
run=$folder/continued
rm -rf "$run"
flags=(--preset lenet --data digits --steps 1500 --checkpoint-every 300 --eval-every 300 --progress none)
continue_until() {
  local program=$1 step=$2 file
  file=$run/checkpoints/$(printf '%010d' "$step").ckpt
  "$program" "${flags[@]}" --resume-if-exists -o "$run" >"$run.log" 2>&1 &
  local process=$!
  while kill -0 "$process" 2>/dev/null && [[ ! -e $file ]]; do sleep 0.05; done
  kill -INT "$process" 2>/dev/null || true
  wait "$process" || true
  [[ -e $file ]] || { cat "$run.log" >&2 && die 1 "$program did not reach step $step"; }
}
continue_until "$theirs" 300
continue_until "$ours" 600
continue_until "$theirs" 900
"$ours" "${flags[@]}" --resume-if-exists -o "$run" >"$run.log" 2>&1 || { cat "$run.log" >&2 && die 1 "$ours does not continue $run"; }
accuracy=$(sed -n 's/^holdout  *\([0-9.]*\) %.*/\1/p' "$run.log")
awk "BEGIN {exit !($accuracy > 95)}" || die 1 "a run under both reached $accuracy %, expected more than 95"
say "a run under both in turn reached $accuracy % (generated digits)"
