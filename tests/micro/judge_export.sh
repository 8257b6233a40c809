#!/bin/sh
# judge_export.sh PYTHON PROGRAMS RANDOM_CHECKPOINT SIGMOIDS. Without that Python: 77 (skipped), or a failure under QAT_TEST_REQUIRE=1.
set -eu
python=$1
shift
if ! command -v "$python" >/dev/null; then
  echo "$python is missing: exports were not judged"
  if [ "${QAT_TEST_REQUIRE:-0}" = 1 ]; then exit 1; fi
  exit 77
fi
exec "$python" "$(dirname "$0")/judge_export.py" "$@"
