#!/usr/bin/env python3
"""Measures what a training step costs: ours in float and with fake quantization, PyTorch's in float, and torch.ao's eager
quantization-aware step of the same networks.

  bench_training.py [--qat-train build/bin/qat-train] [--python /usr/bin/python3] [--only lenet,...] [--turns 5] [--threads 1]
                    [--work build/bench-training]

A step is forward, backward, optimizer (SGD with momentum) and, with fake quantization, all ranges; batch norms learn. Batches: 30 of
28x28x1 (lenet), 128 of 32x32x3 (resnet8, mobilenet_v1 of a quarter of its width). Two runs of different length are started for each
figure; the difference of their processor times, divided by that of their steps, leaves out start, reading and the one evaluation.
All contestants are measured in turns; a ratio is the median of the ratios of each turn, with the smallest and the largest. --python
needs torch; with Debian's python3-torch it is the LibTorch that the programs use by default. Prints a Markdown table. The data are
random bytes: a step costs the same on any.
"""
import argparse
import os
import pathlib
import platform
import re
import resource
import statistics
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
NETWORKS = {  # batch, image, steps of the short and the long run, flags
    "lenet": (30, (28, 28, 1), (200, 1200), ["--network", "lenet"]),
    "resnet8": (128, (32, 32, 3), (5, 25), ["--network", "resnet8"]),
    "mobilenet_v1": (128, (32, 32, 3), (5, 25), ["--network", "mobilenet_v1", "--width", "0.25", "--resolution", "32"]),
}
EXAMPLES = 2560
OURS = {"float32": ["--scheme", "float32"], "uint8": ["--scheme", "uint8"], "int8": ["--scheme", "int8"]}
# What is compared with what, and the names of the rows. torch.ao: per tensor (qnnpack) and per channel (fbgemm).
RATIOS = [("uint8", "float32"), ("int8", "float32"), ("ao per tensor", "uint8"), ("ao per channel", "int8"),
          ("torch", "float32"), ("torch channels last", "float32")]


# ---- PyTorch's side: this file, started again with --python ---------------------------------------------------------------------

def torch_network(name):
    from torch import nn

    def conv(inputs, outputs, kernel, stride=1, groups=1, padding=None, norm=True, activation=nn.ReLU):
        padding = kernel // 2 if padding is None else padding
        layers = [nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=not norm)]
        layers += [nn.BatchNorm2d(outputs)] if norm else []
        layers += [activation()] if activation else []
        return nn.Sequential(*layers)

    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.conv1, self.conv2 = conv(inputs, outputs, 3, stride), conv(outputs, outputs, 3, activation=None)
            self.shortcut = conv(inputs, outputs, 1, stride, norm=False, activation=None) if stride > 1 else nn.Identity()
            self.relu, self.sum = nn.ReLU(), nn.quantized.FloatFunctional()

        def forward(self, x):
            return self.relu(self.sum.add(self.conv2(self.conv1(x)), self.shortcut(x)))

    def dense(inputs, outputs, activation):
        return nn.Sequential(nn.Linear(inputs, outputs), *([nn.ReLU()] if activation else []))

    if name == "lenet":
        return nn.Sequential(conv(1, 6, 5, norm=False), nn.MaxPool2d(2), conv(6, 16, 5, padding=0, norm=False), nn.MaxPool2d(2),
                             conv(16, 120, 5, padding=0, norm=False), nn.Flatten(), dense(120, 84, True), dense(84, 10, False))
    if name == "resnet8":
        return nn.Sequential(conv(3, 16, 3), Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2), nn.AdaptiveAvgPool2d(1),
                             nn.Flatten(), dense(64, 10, False))
    layers, channels = [conv(3, 8, 3, activation=nn.ReLU6)], 8
    for outputs, stride in [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]:
        outputs //= 4
        layers += [conv(channels, channels, 3, stride, groups=channels, activation=nn.ReLU6),
                   conv(channels, outputs, 1, activation=nn.ReLU6)]
        channels = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), dense(channels, 10, False))


def torch_steps(name, contestant, steps, threads):
    """Trains `steps` steps in this process."""
    import torch
    from torch import nn
    from torch.ao import quantization as ao
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    batch, (height, width, channels), _, _ = NETWORKS[name]
    model = torch_network(name).train()
    layout = torch.channels_last if contestant == "torch channels last" else torch.contiguous_format
    if contestant.startswith("ao"):
        for module in list(model.modules()):
            if isinstance(module, nn.Sequential) and module is not model:
                names = [str(i) for i, child in enumerate(module) if isinstance(child, (nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.Linear))]
                if len(names) > 1:  # torch.ao fuses ReLU, not ReLU6
                    ao.fuse_modules_qat(module, names, inplace=True)
        model = nn.Sequential(ao.QuantStub(), model)
        model.qconfig = ao.get_default_qat_qconfig("qnnpack" if contestant == "ao per tensor" else "fbgemm")
        ao.prepare_qat(model.train(), inplace=True)
    model = model.to(memory_format=layout)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)
    images = torch.randint(0, 256, (EXAMPLES, channels, height, width), dtype=torch.uint8)
    labels = torch.randint(0, 10, (EXAMPLES,))
    loss_of = nn.CrossEntropyLoss()
    for step in range(steps):
        at = step * batch % (EXAMPLES - batch)
        x = ((images[at:at + batch].float() - 128) / 64).to(memory_format=layout)
        optimizer.zero_grad(set_to_none=True)
        loss_of(model(x), labels[at:at + batch]).backward()
        optimizer.step()


# ---- the measurement ------------------------------------------------------------------------------------------------------------

def save_data(path, shape):
    """Random bytes and labels as .npy files, without NumPy."""
    path.mkdir(parents=True, exist_ok=True)
    state = 12345

    def random(count):
        nonlocal state
        out = bytearray()
        while len(out) < count:
            state = (state * 6364136223846793005 + 1442695040888963407) % 2 ** 64
            out += struct.pack("<I", state >> 32)
        return bytes(out[:count])

    def write(name, shape, content):
        header = str({"descr": "|u1", "fortran_order": False, "shape": shape})
        header += " " * (63 - (10 + len(header)) % 64) + "\n"
        (path / name).write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + content)

    size = shape[0] * shape[1] * shape[2]
    for split, count in (("train", EXAMPLES), ("test", 100)):
        write(f"x_{split}.npy", (count, *shape), random(count * size))
        write(f"y_{split}.npy", (count,), bytes(i % 10 for i in range(count)))


def cpu_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}: {done.stderr.strip()[-2000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def milliseconds(arguments, name, contestant):
    batch, _, lengths, flags = NETWORKS[name]
    seconds = []
    for steps in lengths:
        if contestant in OURS:
            run = arguments.work / "run"
            subprocess.run(["rm", "-rf", run], check=True)
            command = [arguments.qat_train, "--data", arguments.work / name, *flags, *OURS[contestant], "--steps", str(steps),
                       "--batch-size", str(batch), "--optimizer", "sgd", "--learning-rate", "0.001", "--quant-delay", "0",
                       "--bn-freeze", str(steps), "--weight-average-decay", "0", "--holdout", "100", "--eval-every", str(steps),
                       "--log-every", str(steps), "--mean", "128", "--std", "64", "--threads", str(arguments.threads), "--progress",
                       "none", "--log-level", "error", "-o", run]
        else:
            command = [arguments.python, __file__, "--steps-of", name, contestant, str(steps), str(arguments.threads)]
        seconds.append(cpu_seconds(command))
    return 1000 * (seconds[1] - seconds[0]) / (lengths[1] - lengths[0])


def processor():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    found = re.search(r"model name\s*:\s*(.*)", text)
    return found.group(1) if found else platform.processor()


def main():
    if sys.argv[1:2] == ["--steps-of"]:
        return torch_steps(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--qat-train", type=pathlib.Path, default=ROOT / "build/bin/qat-train")
    parser.add_argument("--python", default="/usr/bin/python3", help="a Python with torch")
    parser.add_argument("--only", default=",".join(NETWORKS))
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build/bench-training")
    parser.add_argument("--without-torch", action="store_true", help="our own rows only")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    contestants = list(OURS) if arguments.without_torch else sorted({each for pair in RATIOS for each in pair}, key=str)
    print(f"{processor()}; {arguments.threads} thread(s); processor time, medians of {arguments.turns} turns\n")
    if not arguments.without_torch:
        version = subprocess.run([arguments.python, "-c", "import torch; print(torch.__version__)"], capture_output=True, text=True)
        print(f"torch {version.stdout.strip()}\n")
    print("| network | step | ms |")
    print("| --- | --- | --- |")
    ratios = []
    for name in arguments.only.split(","):
        save_data(arguments.work / name, NETWORKS[name][1])
        turns = [{each: milliseconds(arguments, name, each) for each in contestants} for _ in range(arguments.turns)]
        for each in contestants:
            print(f"| {name} | {each} | {statistics.median(turn[each] for turn in turns):.2f} |", flush=True)
        for over, under in RATIOS:
            if over in contestants and under in contestants:
                all_turns = sorted(turn[over] / turn[under] for turn in turns)
                ratios.append(f"| {name} | {over} / {under} | {statistics.median(all_turns):.2f} | {all_turns[0]:.2f} to {all_turns[-1]:.2f} |")
    print("\n| network | ratio | median | of the turns |\n| --- | --- | --- | --- |")
    print("\n".join(ratios))


if __name__ == "__main__":
    main()
