#!/usr/bin/env bash
# Gives mutated .tflite, .qgraph and checkpoint files to the programs of build/, each in a process of its own, and
# counts their exit codes.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/mutate_files.sh [--count N] [--jobs N] [--seed N] -o OUT
  --count N  files to make (default 20000)
  --jobs N   processes at a time (default: all cores)
  --seed N   of the mutations (default 1)
  -o OUT     what is done is counted there, and a later run with the same seed goes on behind it

Every process must end with an exit code from 0 to 6, in 10 s, with 3 GiB of address space. Files for which one did not stay in OUT/found,
under names that say kind, command and exit code (128 and more: a signal); exit code 1 where there is one.
TEXT
}

count=20000
jobs=$(nproc)
seed=1
out=
set_flag() {
  case $1 in
    --count) count=$2 ;;
    --jobs) jobs=$2 ;;
    --seed) seed=$2 ;;
    -o) out=$(cd "$called_from" && realpath -m "$2") ;;
  esac
}
read_flags "--count --jobs --seed -o" "$@"
[[ -n $out ]] || die 2 "-o is missing, expected a folder for what is found"
for value in "$count" "$jobs" "$seed"; do
  [[ $value =~ ^[1-9][0-9]*$ ]] || die 2 "value '$value', expected a whole number from 1"
done
configure release build
build build qat_mutate_files qat-freeze qat-convert qat-eval
build/bin/qat_mutate_files build/bin "$out" --count "$count" --jobs "$jobs" --seed "$seed"
