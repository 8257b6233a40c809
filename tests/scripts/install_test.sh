#!/usr/bin/env bash
# What `cmake --install` leaves, used from elsewhere: programs, manual pages, completion, and the library in a project of somebody
# else's, found by CMake and by pkg-config; the oracle of its numbers is TFLite. The Debian packages, unpacked.
# usage: install_test.sh PYTHON BUILD; exit 77: that Python has no TFLite.
set -euo pipefail
python=$1 build=$2 here=$(realpath "$(dirname "$0")")
if ! "$python" -c 'import ai_edge_litert, numpy' 2>/dev/null; then
  echo "$python has no ai_edge_litert"
  [[ ${QAT_TEST_REQUIRE:-} == 1 ]] && exit 1
  exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
fail() {
  echo "FAILED: $*"
  exit 1
}

"$build/bin/qat_random_checkpoint" lenet lenet.ckpt
cmake --install "$build" --prefix "$scratch/root" >install.log
mv root moved # nothing may remember where it was installed
bin=$scratch/moved/bin
"$bin/qat-freeze" lenet.ckpt -o lenet.qgraph >freeze.log
"$bin/qat-convert" lenet.qgraph --type uint8 --calibrate digits --calibration-limit 20 -o lenet.tflite >convert.log 2>&1
"$bin/qat-eval" --data digits --limit 5 --checkpoint lenet.ckpt --model lenet.tflite --litert off --progress none >eval.log 2>&1 ||
  fail "qat-eval, which has to find the module of LibTorch: $(cat eval.log)"
grep -q '^| *float\|float32' eval.log || fail "no float row: $(cat eval.log)"
for page in moved/share/man/man1/qat-{train,freeze,convert,eval}.1.gz; do
  gzip -dc "$page" | grep -q '^\.SH NAME' || fail "$page is no manual page"
done
[[ -s moved/share/bash-completion/completions/qat-eval && -s moved/share/zsh/site-functions/_qat-eval ]] || fail "no completion"
headers=$(find moved/include -type f)
[[ $headers == moved/include/qat/model.h ]] || fail "headers that are not public: $headers"
! grep -rlF "$build" moved/lib/cmake moved/share moved/include || fail "these name the build folder"

"$python" - lenet.tflite >expected <<'PYTHON'
import sys
import numpy
from ai_edge_litert.interpreter import Interpreter, OpResolverType
model = Interpreter(sys.argv[1], experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
model.allocate_tensors()
[given], [taken] = model.get_input_details(), model.get_output_details()
scale, zero_point = given["quantization"]
model.set_tensor(given["index"], numpy.full(given["shape"], zero_point, given["dtype"]))
model.invoke()
scale, zero_point = taken["quantization"]
for value in model.get_tensor(taken["index"]).ravel():
    print("%.9g" % numpy.float32(scale * (int(value) - zero_point)))
PYTHON

cmake -S "$here/consumer" -B by-cmake -DCMAKE_PREFIX_PATH="$scratch/moved" -DCMAKE_BUILD_TYPE=Release >configure.log
cmake --build by-cmake >build.log || fail "find_package: $(cat build.log)"
by-cmake/consumer lenet.tflite >found || fail "consumer: exit $?"
diff expected found || fail "the library's numbers are not TFLite's"
status=0
by-cmake/consumer missing.tflite 2>consumer.log || status=$?
[[ $status == 3 ]] || fail "a missing model: exit $status"
[[ $(<consumer.log) == missing.tflite:* ]] || fail "a missing model: $(cat consumer.log)"

cmake --install "$build" --prefix "$scratch/other" --component dev >install.log
flags=$(PKG_CONFIG_PATH=$scratch/other/lib/pkgconfig pkg-config --cflags --libs qat)
# shellcheck disable=SC2086
c++ -std=c++20 -O1 "$here/consumer/consumer.cc" $flags -o by-pkg-config
./by-pkg-config lenet.tflite | diff expected - || fail "pkg-config: other numbers"
! ldd by-pkg-config | grep -E 'crypto|png|jpeg|spdlog' || fail "the runtime needs more than zlib"

if command -v dpkg-deb >/dev/null; then
  cpack --config "$build/CPackConfig.cmake" -B packages >cpack.log 2>&1 || fail "cpack: $(tail -5 cpack.log)"
  for package in qat-tools qat-train libqat-dev; do
    [[ -n $(compgen -G "packages/${package}_*.deb") ]] || fail "no package $package"
    dpkg-deb -x packages/${package}_*.deb unpacked
  done
  ! dpkg-deb -f packages/qat-tools_*.deb Depends | grep -i torch || fail "qat-tools depends on LibTorch"
  dpkg-deb -f packages/qat-train_*.deb Depends | grep -q 'qat-tools (=' || fail "qat-train does not depend on qat-tools"
  unpacked/usr/bin/qat-eval --version >version.log || fail "qat-eval of the package: exit $?"
  [[ -s unpacked/usr/share/zsh/vendor-completions/_qat-eval && -s unpacked/usr/lib/qat/qat_torch_backend.so ]] ||
    fail "the packages lack: $(find unpacked -type f)"
fi
echo "installed, found and used"
