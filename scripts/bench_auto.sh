#!/usr/bin/env bash
# Compares the automatic recipe of qat-train with a grid of learning rates and optimizers, on the uint8 models and test sets of
# some data sets, and prints the table of docs/benchmarks.md. Long: it belongs to no test. What is done already is not done again.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/bench_auto.sh [--only NAME]... [--seeds N] [--data DIR] [--threads N] -o DIR
  --only     mnist, cifar10, textures, signal, regression, arrowhead, basicmotions, italypowerdemand or tecator (default: all)
  --seeds    runs of auto and of the best point of the grid (default 5)
  --data     folder with mnist/, sensors/ and cifar10-images.tar.gz (default: QAT_TEST_DATA, else ../shared/data)
  --threads  of each training (default 1)
  -o         data, runs, models and results
Each point of the grid is trained once; the one that is best on the held-out examples is trained with the other seeds, too.
TEXT
}

for argument in "$@"; do
  [[ $argument != -h && $argument != --help ]] || { usage && exit 0; }
done
python=build/litert-venv/bin/python
[[ -x $python ]] || python=python3
exec "$python" scripts/bench_auto.py --called-from "$called_from" "$@"
