#!/usr/bin/env bash
# usage: pages_test.sh PYTHON ROOT PAGE PROGRAMS; exit 77: the tests' Python is not there.
set -euo pipefail
if [[ ! -x $1 ]]; then
  echo "$1 is missing; scripts/setup.sh --tests makes it"
  [[ ${QAT_TEST_REQUIRE:-} == 1 ]] && exit 1
  exit 77
fi
exec "$1" "$(dirname "$0")/pages_test.py" "${@:2}"
