#!/usr/bin/env bash
# Checks sources with clang-tidy by .clang-tidy, as the build compiles them.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/tidy.sh [--build DIR] [--jobs N] [--room FOLDER]...
  --build DIR    whose compile_commands.json says how to compile (default: build, configured where it is missing)
  --jobs N       files at a time (default: all cores)
  --room FOLDER  of lib, tools or tests, as lib/quant; may be repeated (default: lib and tools)

Exit code 1 where there is a finding. A file takes about a second; those that include LibTorch some ten.
TEXT
}

folder=build
jobs=$(nproc)
rooms=()
set_flag() {
  case $1 in
    --build) folder=$(cd "$called_from" && realpath -m "$2") ;;
    --jobs) jobs=$2 ;;
    --room) rooms+=("${2%/}") ;;
  esac
}
read_flags "--build --jobs --room" "$@"
[[ $jobs =~ ^[1-9][0-9]*$ ]] || die 2 "--jobs: value '$jobs', expected a whole number from 1"
command -v clang-tidy >/dev/null || die 4 "clang-tidy is missing, expected the package clang-tidy (scripts/setup.sh --fuzz)"
[[ $folder != build ]] || configure release build
database=$folder/compile_commands.json
[[ -f $database ]] || die 3 "$database: no such file, expected a build folder that cmake has configured"
((${#rooms[@]} > 0)) || rooms=(lib tools)
for room in "${rooms[@]}"; do
  [[ -d $room ]] || die 2 "--room: '$room' is no folder of the source tree, expected one as lib/quant"
done
# Generated headers must be there.
build "$folder" schemas/all
mapfile -t known < <(sed -n "s|^ *\"file\": \"$PWD/\(.*\)\",\{0,1\}$|\1|p" "$database" | sort -u)
mapfile -t files < <(comm -12 <(printf '%s\n' "${known[@]}") <(find "${rooms[@]}" -name '*.cc' | sort -u))
((${#files[@]} > 0)) || die 3 "$database: none of the sources in ${rooms[*]} is in it"
say "checking ${#files[@]} files"
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$jobs" clang-tidy --quiet -p "$folder" 2> >(grep -v "warnings generated" >&2) ||
  die 1 "there are findings; they are listed above"
say "no findings in ${#files[@]} files"
