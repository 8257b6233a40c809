#!/bin/sh
# The sample pages hold what scripts/check_page.py asks, and a page that holds none of it is found. $1: the program that writes the pages.
set -eu
check=$(dirname "$0")/../../scripts/check_page.py
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
command -v python3 >/dev/null || exit 77
"$1" "$folder"
code=0
python3 "$check" "$folder"/*.html || code=$?
# Nothing is skipped where everything is required.
[ "$code" != 77 ] || [ "${QAT_TEST_REQUIRE:-}" != 1 ] || exit 1
[ "$code" = 0 ] || exit "$code"

cat >"$folder/bad.html" <<'PAGE'
<!doctype html><body><div style="width: 5000px">wide</div><img src="http://127.0.0.1:9/none.png"><script>console.log("here")</script>
<svg viewBox="0 0 100 20" width="300"><text x="5" y="15">one text</text><text x="8" y="15">on another</text></svg>
PAGE
python3 "$check" "$folder/bad.html" >"$folder/found.txt" && code=0 || code=$?
for fault in "the page is 50" "asks for http://127.0.0.1:9/none.png" "console: " 'lies over "on another"'; do
  grep -q "$fault" "$folder/found.txt" || { echo "not found: $fault"; cat "$folder/found.txt"; exit 1; }
done
[ "$code" = 1 ]
