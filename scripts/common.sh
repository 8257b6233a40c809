# common.sh: functions that the scripts share. To be sourced; changes to the root of the source tree.
set -euo pipefail

called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Prints one line of progress.
say() {
  echo "$(basename "$0" .sh): $*" >&2
}

# Prints one sentence that says why the script stops. $1: exit code.
die() {
  local code=$1
  shift
  say "$@"
  exit "$code"
}

# Reads the flags of a script: each of those in $1 (words with spaces between them) has a value, which goes to set_flag.
read_flags() {
  local known=" $1 "
  shift
  while (($# > 0)); do
    [[ $1 != -h && $1 != --help ]] || { usage && exit 0; }
    [[ $known == *" $1 "* ]] || { usage >&2 && die 2 "unknown flag '$1'"; }
    (($# > 1)) || die 2 "$1: a value is missing"
    set_flag "$1" "$2"
    shift 2
  done
}

# Configures the build folder of a preset once; from then on, the build reconfigures itself.
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
