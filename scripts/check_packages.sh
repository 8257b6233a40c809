#!/usr/bin/env bash
# Builds the Debian packages, installs them in a clean Debian of their own (debootstrap) and runs README's main job there: training,
# freezing, converting, evaluating. Then the consumer project of tests/scripts/consumer against libqat-dev. Needs root and a mirror.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/check_packages.sh [--suite SUITE] [--mirror URL] [--root DIR]
  --suite   Debian release of the clean root (default bookworm)
  --mirror  where its packages come from (default http://deb.debian.org/debian)
  --root    folder of the clean root, made anew (default build/clean-root)
TEXT
}

suite=bookworm mirror=http://deb.debian.org/debian root=build/clean-root
while (($# > 0)); do
  case $1 in
    --suite) suite=$2 && shift ;;
    --mirror) mirror=$2 && shift ;;
    --root) root=$2 && shift ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && die 2 "unknown flag '$1'" ;;
  esac
  shift
done
[[ $(id -u) == 0 ]] || die 2 "a clean root needs chroot: run as root"
command -v debootstrap >/dev/null || die 3 "debootstrap is missing: apt-get install debootstrap"

configure release build
build build qat-train-help qat-freeze-help qat-convert-help qat-eval-help qat qat_torch_backend qat_random_checkpoint
rm -rf build/packages "$root"
say "packing"
cpack --config build/CPackConfig.cmake -B build/packages >build/cpack.log 2>&1 || die 6 "cpack failed: $(tail -1 build/cpack.log)"
say "making a clean $suite in $root"
debootstrap --variant=minbase "$suite" "$root" "$mirror" >build/debootstrap.log 2>&1 || die 6 "debootstrap failed: $(tail -1 build/debootstrap.log)"
# LibTorch asks /proc for the processor.
mount -t proc proc "$root/proc"
trap 'umount "$root/proc"' EXIT
mkdir "$root/packages" "$root/consumer"
cp build/packages/*.deb "$root/packages/"
cp tests/scripts/consumer/* "$root/consumer/"

inside() {
  chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/srv DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 bash -euo pipefail -c "$1"
}
say "qat-tools alone"
inside 'apt-get -qq install -y --no-install-recommends /packages/qat-tools_*.deb >/apt.log 2>&1 || { cat /apt.log; exit 1; }
  ! dpkg -l | grep -i libtorch
  qat-eval --version && qat-convert --version && qat-freeze --version'
say "qat-train, and the main job of README on generated digits"
inside 'apt-get -qq install -y --no-install-recommends /packages/qat-train_*.deb >/apt.log 2>&1 || { cat /apt.log; exit 1; }
  cd /srv
  qat-train --data digits --steps 300 --progress none -o run
  qat-freeze run -o model.qgraph
  qat-convert model.qgraph -o model.tflite
  qat-eval --data digits --checkpoint run --model model.tflite --html report.html --progress none'
say "libqat-dev, and a project that uses it"
inside 'apt-get -qq install -y --no-install-recommends g++ cmake make /packages/libqat-dev_*.deb >/apt.log 2>&1 || { cat /apt.log; exit 1; }
  cmake -S /consumer -B /tmp/consumer >/cmake.log && cmake --build /tmp/consumer >/cmake.log
  /tmp/consumer/consumer /srv/model.tflite'
say "packages of $(du -ch build/packages/*.deb | tail -1 | cut -f1) installed, used and found"
