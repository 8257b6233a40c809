#!/usr/bin/env bash
# Makes a picture of the top of a page with headless Chromium; docs/images/report.png was made by it after scripts/demo.sh:
#   scripts/screenshot.sh build/demo/report.html docs/images/report.png 1280 565
set -euo pipefail

if (($# < 2 || $# > 4)) || [[ $1 == -* ]]; then
  echo "usage: scripts/screenshot.sh PAGE.html PICTURE.png [WIDTH [HEIGHT]]   (pixels; default: 1280 860)" >&2
  exit 2
fi
page=$(realpath -e "$1") picture=$2 width=${3:-1280} height=${4:-860}
for browser in chromium chromium-browser google-chrome google-chrome-stable; do
  command -v "$browser" >/dev/null || continue
  profile=$(mktemp -d)
  trap 'rm -rf "$profile"' EXIT
  # A container without user namespaces has no sandbox; the page is our own.
  "$browser" --headless --no-sandbox --hide-scrollbars --user-data-dir="$profile" --window-size="$width,$height" \
    --screenshot="$picture" "file://$page" >/dev/null 2>&1
  [[ -s $picture ]] || { echo "screenshot.sh: $browser wrote no picture" >&2; exit 6; }
  exit 0
done
echo "screenshot.sh: found no Chromium; install the package chromium" >&2
exit 6
