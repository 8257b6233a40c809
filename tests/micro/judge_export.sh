#!/bin/sh
# judge_export.sh PYTHON PROGRAMS RANDOM_CHECKPOINT SIGMOIDS. Without that Python: 77 (skipped), or a failure under QAT_TEST_REQUIRE=1.
set -eu
python=$1
shift
. "$(dirname "$0")/../support/skip.sh"
command -v "$python" >/dev/null || skip "$python is missing: exports were not judged"
exec "$python" "$(dirname "$0")/judge_export.py" "$@"
