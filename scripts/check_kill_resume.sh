#!/usr/bin/env bash
# Kills a training run with SIGKILL five times at arbitrary moments, resumes it each time, and compares its files with those of a
# run that was never stopped. Exit code 1 unless all bytes are the same.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

data=${1:-digits}
out=${2:-build/kill-resume}
flags=(--preset lenet --data "$data" --steps 1500 --checkpoint-every 60 --eval-every 300 --progress none)
rm -rf "$out"
mkdir -p "$out"
build/bin/qat-train "${flags[@]}" -o "$out/whole" >/dev/null
for kill in 1 2 3 4 5; do
  build/bin/qat-train "${flags[@]}" --resume-if-exists -o "$out/killed" >/dev/null 2>&1 &
  sleep "$((1 + kill % 2)).$((RANDOM % 10))"
  if kill -9 $! 2>/dev/null; then say "kill $kill of 5: $(find "$out/killed/checkpoints" -name '*.ckpt' 2>/dev/null | wc -l) checkpoints so far"; fi
  wait $! 2>/dev/null || true
done
build/bin/qat-train "${flags[@]}" --resume-if-exists -o "$out/killed" >/dev/null
(cd "$out/whole" && find checkpoints metrics.ndjson config.toml -type f | sort | xargs sha256sum) >"$out/whole.sha256"
(cd "$out/killed" && find checkpoints metrics.ndjson config.toml -type f | sort | xargs sha256sum) >"$out/killed.sha256"
diff "$out/whole.sha256" "$out/killed.sha256" >&2 || die 1 "the resumed run differs"
say "$(wc -l <"$out/whole.sha256") files, all identical"
