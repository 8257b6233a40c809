#!/usr/bin/env bash
# scripts/get_mnist.sh against a mirror on this disk: fetches, keeps, resumes, refuses, never leaves half a file.
# usage: get_mnist_test.sh DATA_DIR; exit 77: real MNIST is not there to be mirrored.
set -euo pipefail
script=$(dirname "$0")/../../scripts/get_mnist.sh
mnist=${QAT_TEST_DATA:-$1}/mnist
if [[ ! -f $mnist/train-images-idx3-ubyte.gz ]]; then
  echo "$mnist is missing"
  [[ ${QAT_TEST_REQUIRE:-} == 1 ]] && exit 1
  exit 77
fi
mnist=$(realpath "$mnist")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
names=(train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte)

fail() {
  echo "FAILED: $*"
  exit 1
}
# Runs the script into $2 with mirror $1; its exit status goes to $status, its words to $scratch/log.
get() {
  status=0
  QAT_MNIST_MIRROR=file://$1 "$script" "$2" 2>"$scratch/log" || status=$?
}

get "$mnist" "$scratch/new/mnist"
[[ $status == 0 ]] || fail "a good mirror: exit $status, $(cat "$scratch/log")"
for name in "${names[@]}"; do cmp "$mnist/$name.gz" "$scratch/new/mnist/$name.gz"; done
[[ $(ls -A "$scratch/new/mnist" | wc -l) == 4 ]] || fail "something else lies there: $(ls -A "$scratch/new/mnist")"

get /nowhere "$scratch/new/mnist"
[[ $status == 0 ]] || fail "files that are there are fetched again"

mkdir "$scratch/part"
head -c 1000000 "$mnist/${names[0]}.gz" >"$scratch/part/.${names[0]}.gz.part"
printf 'not gzip at all' >"$scratch/part/.${names[1]}.gz.part"
get "$mnist" "$scratch/part"
[[ $status == 0 ]] || fail "parts: exit $status, $(cat "$scratch/log")"
for name in "${names[@]}"; do cmp "$mnist/$name.gz" "$scratch/part/$name.gz"; done

mkdir "$scratch/wrong"
for name in "${names[@]}"; do echo "error page" >"$scratch/wrong/$name.gz"; done
get "$scratch/wrong" "$scratch/none"
[[ $status == 3 ]] || fail "a mirror of something else: exit $status"
grep -q "is not the published file" "$scratch/log" || fail "no word about the content: $(cat "$scratch/log")"
[[ -z $(ls -A "$scratch/none") ]] || fail "half a file was left: $(ls -A "$scratch/none")"

get /nowhere "$scratch/offline"
[[ $status == 3 ]] || fail "no mirror: exit $status"
grep -q "generated images: --data digits" "$scratch/log" || fail "no way out is named: $(cat "$scratch/log")"

status=0
"$script" >/dev/null 2>&1 || status=$?
[[ $status == 2 ]] || fail "no directory given: exit $status"
echo "passed"
