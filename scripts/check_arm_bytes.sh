#!/usr/bin/env bash
# Whether a conversion gives the same bytes on 64-bit Arm as here: qat-convert of this machine against that of build-aarch64, emulated.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/check_arm_bytes.sh [MODEL DATA [LIMIT]]
  MODEL  a graph or model of real numbers, as qat-convert takes it (default: tests/import/onnx/batch_norms.onnx)
  DATA   what its --calibrate takes (default: 16 pictures made of the bytes of README.md)
  LIMIT  examples of it (default 16; emulation takes some 40 times as long)

Converts to every integer type, with every observer and every repair at least once. Needs build and build-aarch64
(scripts/test.sh and scripts/test_aarch64.sh set them up) and builds qat-convert in both.
Exit status: 0 all bytes are equal, 1 not, or a conversion failed.
Example: scripts/check_arm_bytes.sh run/model.qgraph ../shared/data/mnist
TEXT
}

[[ ${1-} != -h && ${1-} != --help ]] || { usage && exit 0; }
(($# == 0 || $# == 2 || $# == 3)) || { usage >&2 && die 2 "takes nothing, or a model, data and perhaps a limit"; }
limit=${3-16}
[[ $limit =~ ^[1-9][0-9]*$ ]] || die 2 "LIMIT: value '$limit', expected a whole number from 1"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if (($# > 0)); then
  model=$(cd "$called_from" && realpath "$1")
  data=$(cd "$called_from" && realpath "$2")
else
  model=tests/import/onnx/batch_norms.onnx
  data=$scratch/pictures.npy
  # Version 1.0 of the format: ten bytes, then the header, filled up to 128 bytes in all.
  printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (16, 12, 12, 3), }" >"$data"
  head -c $((16 * 12 * 12 * 3)) README.md >>"$data"
fi
kinds=("uint8 minmax none" "int8 mse none" "int8 moving-average bias" "int8-per-tensor minmax equalize" "int16x8 kl none" "int16x8 mse adaround"
  "w4a8 minmax adaround" "w4a8 percentile equalize,adaround,bias" "uint8 percentile adaround")

configure release build
configure aarch64 build-aarch64
build build qat-convert
build build-aarch64 qat-convert
emulator=(qemu-aarch64 -L build-aarch64/root)
differ=0
for kind in "${kinds[@]}"; do
  read -r type observer repair <<<"$kind"
  flags=(--type "$type" --observer "$observer" --repair "$repair" --calibrate "$data" --calibration-limit "$limit" --progress none)
  build/bin/qat-convert "$model" "${flags[@]}" -o "$scratch/here" >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2 && die 1 "$kind fails here"; }
  "${emulator[@]}" build-aarch64/bin/qat-convert "$model" "${flags[@]}" -o "$scratch/arm" >"$scratch/log" 2>&1 ||
    { cat "$scratch/log" >&2 && die 1 "$kind fails under emulation"; }
  if cmp -s "$scratch/here" "$scratch/arm"; then
    echo "the same $(stat -c %s "$scratch/here") bytes: --type $type --observer $observer --repair $repair"
  else
    echo "other bytes: --type $type --observer $observer --repair $repair"
    differ=1
  fi
done
exit "$differ"
