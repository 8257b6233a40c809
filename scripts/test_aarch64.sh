#!/usr/bin/env bash
# Builds runtime and tools for 64-bit Arm with a cross compiler and runs them under emulation: the kernels of every instruction set
# against the reference, random models and those of others against TFLite on this machine.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/test_aarch64.sh [--kernels] [CTEST FLAGS]
  --kernels  only the kernels, which depend most on the processor; not the programs and their models
Environment: as for scripts/test.sh
Example: scripts/test_aarch64.sh -R FastKernels
TEXT
}

targets=(qat_runtime_kernels_test qat_conformance_cases)
more_targets=(qat_quant_test qat_runtime_test qat-freeze qat-convert qat-eval)
left_out='_NOT_BUILT$'
case ${1-} in
  -h | --help)
    usage
    exit 0
    ;;
  --kernels)
    left_out+='|^conformance\.(models|imports)$'
    shift
    ;;
  *) targets+=("${more_targets[@]}") ;;
esac

# Kernels are selected at start by processor: one without dot products must not use any.
check_detection() {
  local cpu scratch=build-aarch64/check
  for cpu in max cortex-a53; do
    rm -rf "$scratch/$cpu"
    mkdir -p "$scratch/$cpu"
    qemu-aarch64 -cpu "$cpu" -L build-aarch64/root build-aarch64/bin/qat_conformance_cases "$scratch/$cpu" 1 1 ||
      die 1 "qat_conformance_cases fails on an emulated $cpu"
  done
  [[ -e $scratch/max/0000.neondot.output ]] || die 1 "neondot was not found on an emulated processor that has it"
  [[ -e $scratch/cortex-a53/0000.neon.output && ! -e $scratch/cortex-a53/0000.neondot.output ]] ||
    die 1 "an emulated cortex-a53 has neon and no neondot, but wrote $(cd "$scratch/cortex-a53" && echo *.output)"
  say "neondot is used with dot products, and not without them"
}

scripts/setup.sh --no-torch --tests --aarch64
configure aarch64 build-aarch64
build build-aarch64 "${targets[@]}"
check_detection
say "running the tests under emulation"
started=$SECONDS
ctest --test-dir build-aarch64 -j "$(nproc)" --output-on-failure --no-tests=error -L emulated -E "$left_out" "$@" ||
  die 1 "tests failed; they are listed above"
say "all tests passed under emulation in $((SECONDS - started)) s"
