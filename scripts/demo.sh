#!/usr/bin/env bash
# Sets up, builds, and runs the whole pipeline: trains LeNet with and without fake quantization, freezes, converts, and
# evaluates everything side by side. Finished steps are not repeated.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/demo.sh [--data DIR]
  --data DIR  directory with MNIST's four IDX files, plain or gzip (default: generated digits)
Results are written to build/demo/: report.html, eval.json, model.tflite, and the files they were made from.
TEXT
}

data=digits
while (($# > 0)); do
  case $1 in
    --data=*) data=${1#*=} ;;
    --data)
      (($# > 1)) || die 2 "--data needs a directory"
      data=$2
      shift
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      die 2 "unknown argument '$1'"
      ;;
  esac
  shift
done
if [[ $data != digits ]]; then
  data=$(cd "$called_from" && realpath -e "$data" 2>/dev/null) || die 3 "--data: $data is not a directory"
fi

out=build/demo
bin=build/bin
# Short, for a demonstration: these are 2.3 epochs; the recipe has 24.
recipe=(--preset lenet --steps 2000 --eval-every 500 --data "$data" --resume-if-exists)

# Runs a step unless it is already done with the same programs, data and earlier steps. $1: its name; $2: its result.
changed=no
once() {
  local name=$1 result=$2 key
  shift 2
  key="$* $fingerprint"
  if [[ $changed == no && -e $result && $(cat "$out/.steps/$name.done" 2>/dev/null) == "$key" ]]; then
    say "$name: already done"
    return
  fi
  changed=yes
  # A training that was stopped is resumed; one with other flags starts again.
  [[ $(cat "$out/.steps/$name.begun" 2>/dev/null) == "$key" ]] || rm -rf "$result"
  echo "$key" >"$out/.steps/$name.begun"
  say "$name: $*"
  local started=$SECONDS code=0
  "$@" || code=$?
  ((code == 0)) || die "$code" "$name failed with exit code $code"
  say "$name: $((SECONDS - started)) s"
  mv "$out/.steps/$name.begun" "$out/.steps/$name.done"
}

evaluate() {
  "$bin/qat-eval" --data "$data" --float "$out/float32" --checkpoint "$out/uint8" --graph "$out/model.qgraph" \
    --model "$out/model.float32.tflite" --model "$out/model.tflite" --json "$out/eval.json" --html "$out/report.html" \
    >/dev/null
}

scripts/setup.sh
configure release build
build build qat-train qat-freeze qat-convert qat-eval qat_torch_backend
mkdir -p "$out/.steps"
fingerprint=$(cat "$bin"/qat-{train,freeze,convert,eval} build/lib/qat/qat_torch_backend.so | cksum)
[[ $data == digits ]] || fingerprint+=$(find "$data" -maxdepth 1 -type f -printf ' %f %s %T@' | cksum)

once train-uint8 "$out/uint8" "$bin/qat-train" "${recipe[@]}" -o "$out/uint8"
once train-float32 "$out/float32" "$bin/qat-train" "${recipe[@]}" --scheme float32 -o "$out/float32"
once freeze "$out/model.qgraph" "$bin/qat-freeze" "$out/uint8" -o "$out/model.qgraph"
once convert-uint8 "$out/model.tflite" "$bin/qat-convert" "$out/model.qgraph" --type uint8 -o "$out/model.tflite"
once convert-float32 "$out/model.float32.tflite" \
  "$bin/qat-convert" "$out/model.qgraph" --type float32 -o "$out/model.float32.tflite"
once evaluate "$out/eval.json" evaluate

"$bin/qat-eval" report "$out/eval.json"
cat <<TEXT

$out/model.tflite  the uint8 model
$out/eval.json     the figures above, for programs
$out/report.html   the figures above, with the training curves and ranges
TEXT
