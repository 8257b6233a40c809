#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages that building needs, as root or with sudo. Does nothing if they are installed.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/setup.sh [--no-torch] [--tests] [--aarch64] [--fuzz]
  --no-torch  without LibTorch: enough for qat-freeze, qat-convert and qat-eval (preset no-torch)
  --tests     also the TFLite interpreter and TensorBoard, in build/litert-venv, and TFLite Micro's and Vela, in
              build/targets-venv, which some tests compare with, Chromium, in
              which one looks at report pages, and zsh, fish and mandoc, which check completion and manual pages
  --aarch64   also a cross compiler, an emulator and, in build-aarch64/root, the libraries for 64-bit Arm (preset aarch64)
  --fuzz      also clang with libFuzzer, for scripts/fuzz.sh (preset fuzz), and clang-tidy, for scripts/tidy.sh
TEXT
}

packages=(build-essential cmake ninja-build ccache git pkg-config libcli11-dev libspdlog-dev libflatbuffers-dev
  flatbuffers-compiler libgtest-dev nlohmann-json3-dev libtomlplusplus-dev zlib1g-dev libssl-dev
  libturbojpeg0-dev libpng-dev)
torch_packages=(libtorch-dev libgloo-dev libopenblas0-pthread libprotobuf-dev protobuf-compiler)
test_packages=(python3-venv zsh fish mandoc)
fuzz_packages=(clang clang-tidy)
aarch64_packages=(g++-aarch64-linux-gnu qemu-user)
aarch64_libraries=(libcli11-dev libspdlog-dev libflatbuffers-dev libgtest-dev nlohmann-json3-dev libtomlplusplus-dev
  zlib1g-dev libssl-dev libturbojpeg0-dev libpng-dev)
torch=yes
tests=no
aarch64=no
fuzz=no
while (($# > 0)); do
  case $1 in
    --no-torch) torch=no ;;
    --tests) tests=yes ;;
    --aarch64) aarch64=yes ;;
    --fuzz) fuzz=yes ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      die 2 "unknown flag '$1'"
      ;;
  esac
  shift
done
[[ $torch == no ]] || packages+=("${torch_packages[@]}")
[[ $tests == no ]] || packages+=("${test_packages[@]}")
[[ $aarch64 == no ]] || packages+=("${aarch64_packages[@]}")
[[ $fuzz == no ]] || packages+=("${fuzz_packages[@]}")
# The test of the report page takes any of them.
[[ $tests == no ]] || command -v chromium chromium-browser google-chrome google-chrome-stable >/dev/null ||
  packages+=(chromium)

missing_packages() {
  local installed
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null || true)
  for package in "${packages[@]}"; do
    grep -qx "$package installed" <<<"$installed" || echo "$package"
  done
}

as_root() {
  if [[ $(id -u) == 0 ]]; then
    env DEBIAN_FRONTEND=noninteractive "$@"
  elif command -v sudo >/dev/null; then
    sudo env DEBIAN_FRONTEND=noninteractive "$@"
  else
    die 6 "installing packages needs root or sudo; missing: ${missing[*]}"
  fi
}

install_packages() {
  command -v apt-get >/dev/null || die 6 "apt-get is missing; install by hand: ${missing[*]}"
  say "installing ${#missing[@]} packages: ${missing[*]}"
  # The package lists of a new machine are empty, and those of an old one name files that no longer exist.
  if ! as_root apt-get install -y -q --no-install-recommends "${missing[@]}" >build/setup.log 2>&1; then
    as_root apt-get update -q >>build/setup.log 2>&1 || true
    as_root apt-get install -y -q --no-install-recommends "${missing[@]}" >>build/setup.log 2>&1 || {
      tail -n 20 build/setup.log >&2
      die 6 "apt-get could not install ${missing[*]} (all of its output: build/setup.log)"
    }
  fi
}

# The first Python that has wheels of the pinned packages.
find_python() {
  for python in /usr/bin/python3 python3.11 python3.12 python3.13 python3; do
    if "$python" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      echo "$python"
      return
    fi
  done
  die 6 "the TFLite interpreter needs Python 3.11, 3.12 or 3.13 with venv; none was found"
}

# make_venv FOLDER REQUIREMENTS
make_venv() {
  local venv=$1 requirements=$2 python
  cmp -s "$requirements" "$venv/requirements.txt" && return
  python=$(find_python)
  say "making $venv with $python"
  rm -rf "$venv"
  "$python" -m venv "$venv"
  "$venv/bin/python" -m pip install -q --disable-pip-version-check -r "$requirements" >build/setup.log 2>&1 || {
    tail -n 20 build/setup.log >&2
    die 6 "pip could not install $requirements (all of its output: build/setup.log)"
  }
  cp "$requirements" "$venv/requirements.txt"
}

# apt-get for another architecture: lists, packages and the list of installed packages are kept in $1, so that this machine's own packages
# do not change. (Installed side by side, the packages of both architectures would need the same version.)
arm64_apt() {
  local state=$1
  shift
  apt-get -q -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Dir::State="$state" -o Dir::State::status="$state/status" \
    -o Dir::Cache="$state/cache" -o Acquire::Languages=none -o APT::Sandbox::User="$(id -un)" "$@" >>build/setup.log 2>&1
}

# A root file system with the libraries for 64-bit Arm; programs in it run only under emulation.
make_aarch64_root() {
  local root=build-aarch64/root state=$PWD/build-aarch64/apt package
  [[ $(cat "$root/packages" 2>/dev/null) != "${aarch64_libraries[*]}" ]] || return 0
  say "unpacking the libraries for arm64 into $root: ${aarch64_libraries[*]}"
  rm -rf "$root" "$state"
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$root"
  : >"$state/status"
  : >build/setup.log
  # Ignore sources that have nothing for arm64.
  arm64_apt "$state" update || true
  arm64_apt "$state" install -y --download-only --no-install-recommends "${aarch64_libraries[@]}" || {
    tail -n 20 build/setup.log >&2
    die 6 "apt-get could not download packages for arm64 (all of its output: build/setup.log); on Ubuntu, /etc/apt needs a source at ports.ubuntu.com"
  }
  for package in "$state"/cache/archives/*.deb; do
    dpkg-deb -x "$package" "$root" || die 6 "$package cannot be unpacked"
  done
  rm -rf "$state"
  echo "${aarch64_libraries[*]}" >"$root/packages"
}

command -v dpkg-query >/dev/null ||
  die 6 "this system is not Debian or Ubuntu (dpkg-query is missing); install the packages listed in README.md under Requirements"
mkdir -p build
mapfile -t missing < <(missing_packages)
((${#missing[@]} == 0)) || install_packages
if [[ $tests == yes ]]; then
  make_venv build/litert-venv tests/requirements.txt
  make_venv build/targets-venv tests/requirements-targets.txt
fi
[[ $aarch64 == no ]] || make_aarch64_root
