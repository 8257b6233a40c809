#!/usr/bin/env bash
# Runs the targets of tests/fuzz for long, under AddressSanitizer and UndefinedBehaviorSanitizer, and counts.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/fuzz.sh [--minutes N] [--target TARGET]... [--engine ENGINE] -o OUT
  --minutes N        for each target (default 20)
  --target TARGET    one of those that build-fuzz/bin/qat_fuzz --list prints; may be repeated (default: all, one after the other)
  --engine ENGINE    libfuzzer: with clang, guided by coverage (default where clang++ is installed); plain: with any compiler
  -o OUT             folder for what was found, the logs, and the corpora, with which a later run goes on

Prints a line for each target: executions, the slowest in whole seconds, memory, and how much was found. Crashes, inputs that took more than
1 s, and those that took more than 512 MiB stay in OUT/TARGET/found; exit code 1 where there is one.
TEXT
}

minutes=20
out=
targets=()
engine=plain
! command -v clang++ >/dev/null || engine=libfuzzer
set_flag() {
  case $1 in
    --minutes) minutes=$2 ;;
    --target) targets+=("$2") ;;
    --engine) engine=$2 ;;
    -o) out=$(cd "$called_from" && realpath -m "$2") ;;
  esac
}
read_flags "--minutes --target --engine -o" "$@"
[[ -n $out ]] || die 2 "-o is missing, expected a folder for what is found"
[[ $minutes =~ ^[1-9][0-9]*$ ]] || die 2 "--minutes: value '$minutes', expected a whole number from 1 on"
case $engine in
  libfuzzer)
    configure fuzz build-fuzz
    build build-fuzz qat_fuzz qat_libfuzzer
    bin=build-fuzz/bin
    ;;
  plain)
    configure sanitize build-sanitize
    build build-sanitize qat_fuzz
    bin=build-sanitize/bin
    ;;
  *) die 2 "--engine: value '$engine', expected libfuzzer or plain" ;;
esac
mapfile -t known < <("$bin/qat_fuzz" --list)
((${#targets[@]} > 0)) || targets=("${known[@]}")
for target in "${targets[@]}"; do
  [[ " ${known[*]} " == *" $target "* ]] || die 2 "--target: value '$target', expected one of ${known[*]}"
done

# A quarantine of the usual 256 MiB would be half of what is allowed.
export ASAN_OPTIONS=quarantine_size_mb=16:detect_leaks=1:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1

run_libfuzzer() {
  local target=$1 folder=$2
  [[ -d $folder/seeds ]] || "$bin/qat_fuzz" "$target" --write-seeds "$folder/seeds"
  mkdir -p "$folder/corpus"
  QAT_FUZZ_TARGET=$target "$bin/qat_libfuzzer" -max_total_time=$((60 * minutes)) -timeout=10 -report_slow_units=1 -rss_limit_mb=512 \
    -malloc_limit_mb=512 -max_len=131072 -print_final_stats=1 -artifact_prefix="$folder/found/" "$folder/corpus" "$folder/seeds" \
    $(find "tests/fuzz/regressions/$target" -maxdepth 0 2>/dev/null) >"$folder/log" 2>&1
}

# libFuzzer looks at the clock: what was slow only since the machine had more to do is timed again, by processor time, and left out.
drop_quick() {
  local target=$1 folder=$2 file
  for file in "$folder"/found/slow-unit-* "$folder"/found/timeout-*; do
    [[ -f $file ]] || continue
    ! "$bin/qat_fuzz" "$target" "$file" --slow 1 -o "$folder" >/dev/null 2>&1 || rm "$file"
  done
}

run_plain() {
  local target=$1 folder=$2
  "$bin/qat_fuzz" "$target" --seconds $((60 * minutes)) --seed "$RANDOM" --slow 1 -o "$folder/found" >"$folder/log" 2>&1
}

summary() {
  local target=$1 folder=$2
  if [[ $engine == plain ]]; then
    grep -a "executions" "$folder/log" || echo "$target: stopped, see $folder/log"
    return
  fi
  local executions slowest memory
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$folder/log")
  slowest=$(sed -n 's/^stat::slowest_unit_time_sec: *//p' "$folder/log")
  memory=$(sed -n 's/^stat::peak_rss_mb: *//p' "$folder/log")
  echo "$target: ${executions:-unknown} executions, slowest ${slowest:-unknown} s, memory ${memory:-unknown} MiB"
}

failed=0
for target in "${targets[@]}"; do
  folder=$out/$target
  mkdir -p "$folder/found"
  say "$target, $minutes minutes"
  "run_$engine" "$target" "$folder" || failed=1
  drop_quick "$target" "$folder"
  found=$(find "$folder/found" -type f | wc -l)
  ((found == 0)) || failed=1
  echo "$(summary "$target" "$folder"), $found found"
done
exit "$failed"
