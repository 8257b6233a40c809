#!/usr/bin/env bash
# Unpacks CIFAR-10 as JPEG files, one folder per class, for --data. Does nothing if it is already unpacked.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/unpack_cifar10.sh [ARCHIVE [DIR]]
  ARCHIVE  a .tar.gz with train/CLASS/*.jpg and test/CLASS/*.jpg (default ../shared/data/cifar10-images.tar.gz)
  DIR      directory to unpack into (default build/cifar10)
TEXT
}

case ${1:-} in
  -h | --help)
    usage
    exit 0
    ;;
  -*)
    usage >&2
    die 2 "unknown flag '$1'"
    ;;
esac

# Given paths are relative to the caller's folder.
given() {
  [[ $1 == /* ]] && echo "$1" || echo "$called_from/$1"
}

archive=../shared/data/cifar10-images.tar.gz
directory=build/cifar10
[[ $# -lt 1 ]] || archive=$(given "$1")
[[ $# -lt 2 ]] || directory=$(given "$2")
[[ -f $archive ]] || die 3 "$archive: no such file, expected CIFAR-10 as JPEG files in a .tar.gz"
if [[ ! -e $directory ]]; then
  # Under another name until it is complete, so that an interrupted copy is never used.
  partial=$directory.partial
  rm -rf "$partial"
  mkdir -p "$partial"
  tar -xzf "$archive" -C "$partial" || die 3 "$archive: cannot be unpacked"
  mv "$partial" "$directory"
fi
pictures=$(find "$directory/" -name '*.jpg' | wc -l)
((pictures == 60000)) || die 3 "$directory: contains $pictures pictures, expected 60000; remove it and try again"
say "$directory: $pictures pictures"
