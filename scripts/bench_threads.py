#!/usr/bin/env python3
"""Measures what threads gain in training, and the memory it takes: wall time of a step with one thread and with several, and the
largest resident size, of qat-train and of PyTorch's float step.

  bench_threads.py [--qat-train build/bin/qat-train] [--python /usr/bin/python3] [--only lenet,...] [--threads 2] [--turns 5]
                   [--work build/bench-training] [--without-torch]

Steps, networks and data are those of bench_training.py, with a batch of 128 everywhere and batch norms learning; PyTorch's has its
channels last. Two runs of different length are started for each figure; the difference of their times, divided by that of their
steps, leaves out start and reading. One thread and several take turns; a ratio is the median over the turns, with the smallest and
the largest. Prints a Markdown table. Needs a core for each thread: on a busy machine the figures are the machine's.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

import bench_training

BATCH = 128
LENGTHS = {"lenet": (100, 600), "resnet8": (10, 60), "mobilenet_v1": (10, 60)}
CONTESTANTS = ["float32", "int8", "torch channels last"]


def finished(command, threads):
    """Wall time in seconds and largest resident size in MiB."""
    start = time.monotonic()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               env=dict(os.environ, OMP_NUM_THREADS=str(threads)))
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{' '.join(map(str, command))}: {error.decode().strip()[-2000:]}")
    return time.monotonic() - start, usage.ru_maxrss / 1024


def measure(arguments, name, contestant, threads):
    """Milliseconds of a step, and MiB."""
    seconds, size = [], 0
    for steps in LENGTHS[name]:
        if contestant in bench_training.OURS:
            run = arguments.work / "run"
            subprocess.run(["rm", "-rf", run], check=True)
            command = [arguments.qat_train, "--data", arguments.work / name, *bench_training.NETWORKS[name][3],
                       *bench_training.OURS[contestant], "--steps", steps, "--batch-size", BATCH, "--optimizer", "sgd",
                       "--learning-rate", "0.001", *([] if contestant == "float32" else ["--quant-delay", "0", "--bn-freeze", steps]),
                       "--weight-average-decay", "0", "--holdout", "100", "--eval-every", steps, "--log-every", steps,
                       "--mean", "128", "--std", "64", "--threads", threads, "--progress", "none", "--log-level", "error", "-o", run]
        else:
            command = [arguments.python, bench_training.__file__, "--steps-of", name, contestant, steps, threads]
        taken, size = finished(command, threads)
        seconds.append(taken)
    short, long = LENGTHS[name]
    return 1000 * (seconds[1] - seconds[0]) / (long - short), size


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--qat-train", type=pathlib.Path, default=bench_training.ROOT / "build/bin/qat-train")
    parser.add_argument("--python", default="/usr/bin/python3", help="a Python with torch")
    parser.add_argument("--only", default=",".join(LENGTHS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--work", type=pathlib.Path, default=bench_training.ROOT / "build/bench-training")
    parser.add_argument("--without-torch", action="store_true", help="our own rows only")
    arguments = parser.parse_args()
    several = arguments.threads
    print(f"{bench_training.processor()}; wall time, medians of {arguments.turns} turns; batch {BATCH}\n")
    print(f"| network | step | 1 thread, ms | {several} threads, ms | gain | of the turns | MiB, 1 thread | MiB, {several} threads |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in arguments.only.split(","):
        bench_training.save_data(arguments.work / name, bench_training.NETWORKS[name][1])
        for contestant in CONTESTANTS:
            # PyTorch's step has the batch of bench_training.py.
            if contestant.startswith("torch") and (arguments.without_torch or bench_training.NETWORKS[name][0] != BATCH):
                continue
            turns = [(measure(arguments, name, contestant, 1), measure(arguments, name, contestant, several))
                     for _ in range(arguments.turns)]
            gains = sorted(one[0] / more[0] for one, more in turns)
            one, more = (statistics.median(turn[side][0] for turn in turns) for side in (0, 1))
            sizes = [max(turn[side][1] for turn in turns) for side in (0, 1)]
            label = "PyTorch, float" if contestant.startswith("torch") else contestant
            print(f"| {name} | {label} | {one:.1f} | {more:.1f} | {statistics.median(gains):.2f} | {gains[0]:.2f} to {gains[-1]:.2f} | "
                  f"{sizes[0]:.0f} | {sizes[1]:.0f} |", flush=True)


if __name__ == "__main__":
    main()
