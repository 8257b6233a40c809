#!/usr/bin/env bash
# Downloads MNIST from its public mirrors into a directory for --data. Correct files are kept, an interrupted download is
# continued, and a file gets its name only if its content is the published one.
caller=$PWD
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/get_mnist.sh DIR
  DIR  directory for the four IDX files of MNIST, as .gz (11.6 MB)
Environment:
  QAT_MNIST_MIRROR  URL of the only mirror to use
TEXT
}

mirrors=(
  https://ossci-datasets.s3.amazonaws.com/mnist
  https://storage.googleapis.com/cvdf-datasets/mnist
  https://raw.githubusercontent.com/fgnt/mnist/master
)
[[ -z ${QAT_MNIST_MIRROR:-} ]] || mirrors=("$QAT_MNIST_MIRROR")

# MD5 of the unpacked bytes: mirrors may compress the same bytes differently.
files=(
  "train-images-idx3-ubyte 6bbc9ace898e44ae57da46a324031adb"
  "train-labels-idx1-ubyte a25bea736e30d166cdddb491f175f624"
  "t10k-images-idx3-ubyte 2646ac647ad5339dbf082846283269ea"
  "t10k-labels-idx1-ubyte 27ae3e4e09519cfbb04c329615203637"
)

# Whether file $1 (.gz, or part of one) unpacks to bytes with MD5 $2.
is_right() {
  [[ -f $1 ]] || return 1
  local sum
  sum=$(gzip -dc <"$1" 2>/dev/null | md5sum) || return 1
  [[ ${sum%% *} == "$2" ]]
}

# Fetches URL $1 into file $2, continuing after the bytes that it already has.
fetch() {
  if command -v curl >/dev/null; then
    curl --fail --silent --show-error --location --connect-timeout 15 --retry 2 --continue-at - --output "$2" "$1"
  elif command -v wget >/dev/null; then
    wget --quiet --timeout=15 --tries=3 --continue --output-document="$2" "$1"
  else
    die 6 "neither curl nor wget is installed"
  fi
}

# Gets file $1 with MD5 $2 from the first mirror that has it.
download() {
  local name=$1.gz sum=$2 mirror part reason
  part=$dir/.$name.part
  for mirror in "${mirrors[@]}"; do
    say "$name from $mirror"
    # A wrong result may be a part from another mirror: try once more from the start.
    for _ in again once; do
      if ! reason=$(fetch "$mirror/$name" "$part" 2>&1) && ! is_right "$part" "$sum"; then
        say "${reason##*$'\n'}"
        break
      fi
      if is_right "$part" "$sum"; then
        mv "$part" "$dir/$name"
        return 0
      fi
      say "$name from $mirror is not the published file"
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
mkdir -p "$dir" || die 6 "$1: cannot create this directory"
[[ -w $dir ]] || die 6 "$1: cannot write into this directory"

for entry in "${files[@]}"; do
  read -r name sum <<<"$entry"
  if is_right "$dir/$name.gz" "$sum"; then continue; fi
  download "$name" "$sum" || die 3 "$name.gz: not available from any mirror; is there a network connection? Put MNIST's four" \
    "files into $1 yourself, or train with generated images: --data digits"
done
say "MNIST is in $1; next: qat-train --data $1 -o run"
