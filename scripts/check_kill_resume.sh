#!/usr/bin/env bash
# Kills a training run with SIGKILL at arbitrary moments, and compares its files with those of a run that was never stopped.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/check_kill_resume.sh [--kills N] [--data DIR] [--bin DIR] [-o OUT]
  --kills N   how often (default 50). The run has 400 steps for each, by the automatic recipe; every 30 steps a checkpoint
  --data DIR  default: digits, which need no data
  --bin DIR   default: build/bin
  -o OUT      folder of both runs, which is emptied first (default: build/kill-resume)

Each kill comes within twice the time that 150 steps take from the start of the program, so in start and reading, steps, evaluation and
writing alike; then the run is resumed. Exit code 1 unless all checkpoints, the log and the recipe have the bytes of the run that was never stopped.
TEXT
}

kills=50
data=digits
bin=build/bin
out=build/kill-resume
set_flag() {
  case $1 in
    --kills) kills=$2 ;;
    --data) data=$2 ;;
    --bin) bin=$(cd "$called_from" && realpath -m "$2") ;;
    -o) out=$(cd "$called_from" && realpath -m "$2") ;;
  esac
}
read_flags "--kills --data --bin -o" "$@"
[[ $kills =~ ^[1-9][0-9]*$ ]] || die 2 "--kills: value '$kills', expected a whole number from 1 on"
[[ $data == digits ]] || data=$(cd "$called_from" && realpath -m "$data")
[[ -x $bin/qat-train ]] || die 3 "$bin/qat-train does not exist; build first, or give --bin"

flags=(--data "$data" --checkpoint-every 30 --eval-every 150 --threads 1 --progress none)
rm -rf "$out"
mkdir -p "$out"
milliseconds() { echo $(($(date +%s%N) / 1000000)); }
began=$(milliseconds)
"$bin/qat-train" "${flags[@]}" --steps 150 -o "$out/first" >/dev/null 2>&1
most=$((2 * ($(milliseconds) - began)))
flags+=(--steps $((400 * kills)))
"$bin/qat-train" "${flags[@]}" -o "$out/whole" >/dev/null 2>&1
killed=0
for ((kill = 1; kill <= kills; ++kill)); do
  "$bin/qat-train" "${flags[@]}" --resume-if-exists -o "$out/killed" >/dev/null 2>&1 &
  delay=$((RANDOM * 32768 + RANDOM))
  delay=$((delay % most))
  sleep "$((delay / 1000)).$(printf '%03d' $((delay % 1000)))"
  if kill -9 $! 2>/dev/null; then killed=$((killed + 1)); fi
  wait $! 2>/dev/null || true
  ((kill % 10 != 0)) || say "$killed of $kills kills, $(find "$out/killed/checkpoints" -name '*.ckpt' 2>/dev/null | wc -l) checkpoints"
done
((killed == kills)) || die 1 "the run ended after $killed of $kills kills"
"$bin/qat-train" "${flags[@]}" --resume-if-exists -o "$out/killed" >/dev/null 2>&1
for run in whole killed; do
  (cd "$out/$run" && find checkpoints metrics.ndjson config.toml -type f | sort | xargs sha256sum) >"$out/$run.sha256"
done
diff "$out/whole.sha256" "$out/killed.sha256" >&2 || die 1 "the resumed run differs"
say "$killed kills while it ran, $(wc -l <"$out/whole.sha256") files, all identical"
