# skip.sh: sourced by tests that are scripts.
# skip MESSAGE: ends the test as skipped (77), or as failed under QAT_TEST_REQUIRE=1.
skip() {
  echo "$1"
  if [ "${QAT_TEST_REQUIRE:-0}" = 1 ]; then exit 1; fi
  exit 77
}
