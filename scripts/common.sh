# common.sh: what the scripts share; sourced, with the tree as the working directory afterwards.
set -euo pipefail

called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# One line about what is going on.
say() {
  echo "$(basename "$0" .sh): $*" >&2
}

# One sentence about why it cannot go on. $1: exit code.
die() {
  local code=$1
  shift
  say "$@"
  exit "$code"
}

# Configures the folder of a preset once; later the build itself sees to it.
configure() {
  local preset=$1 folder=$2
  shift 2
  [[ ! -f $folder/build.ninja ]] || return 0
  say "configuring $folder"
  mkdir -p "$folder"
  cmake --preset "$preset" "$@" >"$folder/configure.log" 2>&1 || {
    cat "$folder/configure.log" >&2
    die 6 "cmake could not configure $folder"
  }
}

# Builds the named targets, or all of them.
build() {
  local folder=$1
  shift
  say "building $folder"
  cmake --build "$folder" -- "$@" >&2 || die 6 "the build of $folder failed"
}
