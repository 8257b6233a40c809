#!/bin/sh
# judge.sh PYTHON TARGET CASES VERDICTS COUNT MOST: makes COUNT random models and has up to MOST of them judged.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
. "$(dirname "$0")/../support/skip.sh"
command -v "$1" >/dev/null || skip "$1 is missing: the rules of $2 were not judged"
"$3" "$directory" "$5" 7 >/dev/null
"$1" "$(dirname "$0")/judge.py" "$2" "$directory" "$4" "$6"
