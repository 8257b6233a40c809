#!/usr/bin/env bash
# Downloads MNIST from its public mirrors into a directory that --data takes. What is there and right already is kept, a
# broken download goes on where it stopped, and a file gets its name only when its content is the published one.
caller=$PWD
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/get_mnist.sh DIR
  DIR  gets the four IDX files of MNIST, as .gz (11.6 MB)
  QAT_MNIST_MIRROR=URL in the environment: ask this mirror only
TEXT
}

mirrors=(
  https://ossci-datasets.s3.amazonaws.com/mnist
  https://storage.googleapis.com/cvdf-datasets/mnist
  https://raw.githubusercontent.com/fgnt/mnist/master
)
[[ -z ${QAT_MNIST_MIRROR:-} ]] || mirrors=("$QAT_MNIST_MIRROR")

# MD5 of the unpacked bytes: two mirrors may pack the same bytes differently.
files=(
  "train-images-idx3-ubyte 6bbc9ace898e44ae57da46a324031adb"
  "train-labels-idx1-ubyte a25bea736e30d166cdddb491f175f624"
  "t10k-images-idx3-ubyte 2646ac647ad5339dbf082846283269ea"
  "t10k-labels-idx1-ubyte 27ae3e4e09519cfbb04c329615203637"
)

# Whether file $1 (.gz or a part of one) unpacks to bytes with MD5 $2.
is_right() {
  [[ -f $1 ]] || return 1
  local sum
  sum=$(gzip -dc <"$1" 2>/dev/null | md5sum) || return 1
  [[ ${sum%% *} == "$2" ]]
}

# Fetches URL $1 into file $2, behind what is there of it.
fetch() {
  if command -v curl >/dev/null; then
    curl --fail --silent --show-error --location --connect-timeout 15 --retry 2 --continue-at - --output "$2" "$1"
  elif command -v wget >/dev/null; then
    wget --quiet --timeout=15 --tries=3 --continue --output-document="$2" "$1"
  else
    die 6 "neither curl nor wget is installed"
  fi
}

# Brings file $1 with MD5 $2 from the first mirror that has it.
download() {
  local name=$1.gz sum=$2 mirror part reason
  part=$dir/.$name.part
  for mirror in "${mirrors[@]}"; do
    say "$name from $mirror"
    # A part that turns out wrong may come from another mirror: once more, from the start.
    for _ in again once; do
      if ! reason=$(fetch "$mirror/$name" "$part" 2>&1) && ! is_right "$part" "$sum"; then
        say "${reason##*$'\n'}"
        break
      fi
      if is_right "$part" "$sum"; then
        mv "$part" "$dir/$name"
        return 0
      fi
      say "$name from $mirror has other content than MNIST"
      rm -f "$part"
    done
  done
  return 1
}

case ${1:-} in
  -h | --help) usage && exit 0 ;;
  "" | -*) usage >&2 && exit 2 ;;
esac
(($# == 1)) || { usage >&2 && exit 2; }
dir=$1
[[ $dir == /* ]] || dir=$caller/$dir
mkdir -p "$dir" || die 6 "$1 cannot be made"
[[ -w $dir ]] || die 6 "$1 cannot be written"

for entry in "${files[@]}"; do
  read -r name sum <<<"$entry"
  if is_right "$dir/$name.gz" "$sum"; then continue; fi
  download "$name" "$sum" || die 3 "$name.gz: no mirror gave it; is there a network? Put the four files of MNIST" \
    "into $1 yourself, or train without them: --data digits"
done
say "MNIST is in $1: qat-train --data $1"
