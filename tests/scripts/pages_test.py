"""Runs the shell commands of a page as they are printed, block after block in one folder, as a reader would; follows its links.

usage: pages_test.py ROOT PAGE FOLDER_OF_PROGRAMS     (PAGE from ROOT: docs/data.md)

What a page takes for granted (pictures, MNIST, arrays, networks) is made here, small. qat-train and qat-eval are wrapped, so that
they take a few steps and images instead of thousands; nothing else is changed. Exit code 77: NumPy is missing.
"""

import os
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile
import zlib

LANGUAGES = {"sh", "text", "make", "yaml", "toml", "json", "python", "mermaid", "formula", "cmake", "cpp"}

# Blocks that are not run here, by a part of their text that only they have, and why.
LONG = "takes hours, or a machine with nothing else to do"
INSTALLS = "installs packages or builds the whole tree"
NETWORK = "downloads"
OTHER = "examples_test.py runs it"
SKIPPED = {
    "README.md": {
        "scripts/demo.sh ": INSTALLS,
        "cmake --preset release    ": INSTALLS,
        "scripts/get_mnist.sh": NETWORK,
        "-DQAT_LIBTORCH": INSTALLS,
    },
    "CONTRIBUTING.md": {
        "cmake --preset sanitize": INSTALLS,
        "-DQAT_LIBTORCH": INSTALLS,
        "scripts/test.sh ": INSTALLS,
        "scripts/fuzz.sh": LONG,
        "--aarch64": INSTALLS,
    },
    "docs/benchmarks.md": {
        "--preset lenet-article": LONG,
        "--preset lenet --into-docs": LONG,
        "train_cifar10.sh": LONG,
        "marks_cifar10.sh": LONG,
        "show_collapse.sh": LONG,
        "bench_auto.sh": LONG,
        "bench_tasks.py": LONG,
        "bench_precisions.py": LONG,
        "compare_with_litert.py": LONG,
        "make_foreign_models.py": LONG,
        "scripts/demo.sh": INSTALLS,
        "check_latency_gate.sh": LONG,
        "check_kill_resume.sh": LONG,
    },
    "docs/benchmarks-runtime.md": {"bench_runtime.sh": LONG},
    "docs/case-study-lenet.md": {"bench_lenet.sh": LONG},
    "docs/import.md": {"check_imports.py": LONG},
    "docs/install.md": {"--prefix /usr/local": INSTALLS, "cpack": INSTALLS, "--preset static": INSTALLS},
    "docs/examples.md": {"tee model.qgraph": OTHER},
    "docs/tutorials/article.md": {"scripts/get_mnist.sh": NETWORK},
}

# Flags of cmake and python in README.
FLAGS_OF_OTHERS = {"--preset", "--build", "-c"}

# Files that a page's commands leave, and texts that they print.
LEAVES = {
    "README.md": ["report.html", "report.json", "mnist.tflite", "model8.tflite"],
    "docs/data.md": ["cells.tflite", "spots.tflite"],
    "docs/debug.md": ["fixed.toml", "fixed.tflite", "worst/layer.tflite", "worst/expected.npy"],
    "docs/tutorials/article.md": ["article.tflite", "truncated/t10k-images-idx3-ubyte"],
    "docs/tutorials/ci-gate.md": ["baseline.json", "broken.html"],
    "docs/tutorials/from-pytorch.md": ["model.tflite", "tuned.safetensors", "tuned.npz"],
    "docs/tutorials/other-tasks.md": ["faults.tflite", "weather.tflite", "boiler.tflite", "machine.tflite"],
    "docs/tutorials/your-own-pictures.md": ["report.html", "model8.tflite"],
    "docs/tutorials/your-own-sensor.md": ["model.tflite", "model-int8.tflite", "weather-run/config.toml"],
}
PRINTS = {
    "docs/tutorials/other-tasks.md": [
        "task: yes-no, since the labels are of two classes", "task: multi-label", "rain, wind, frost", "targets: learned as",
        "task: reconstruction, as asked for", "pixels of label 255 are ignored"],
    "docs/tutorials/your-own-sensor.md": [
        "are read as series of 100 steps in 6 channels", "input: real numbers, per channel (value - mean) / std",
        "normalized by the input contract and quantized"],
    "docs/tutorials/article.md": ["contradict the input contract", "only 2 remain distinct"],
    "docs/tutorials/from-pytorch.md": ["columns from C, H, W to H, W, C  name", "10 tensors for 5 layers"],
    "docs/tutorials/ci-gate.md": ["exit code 1", "the chain is whole"],
}

# Flags whose values are replaced, and those that are added where they are missing.
TRAIN = """#!/usr/bin/env bash
arguments=()
while (($# > 0)); do
  case $1 in
    --steps | --epochs) shift ;;
    *) arguments+=("$1") ;;
  esac
  shift
done
exec "%s" "${arguments[@]}" --steps 6 --quant-delay 2
"""
EVAL = """#!/usr/bin/env bash
arguments=() data=no
while (($# > 0)); do
  arguments+=("$1")
  case $1 in
    --data) data=yes ;;
    --max-drop | --max-error-rise) arguments+=(1e6) && shift ;;
    --max-rmse) arguments+=("${2/[0-9]*/1e6}") && shift ;;
    --min-auc | --min-f1) arguments+=(0) && shift ;;
  esac
  shift
done
[[ $data == no ]] || arguments+=(--limit 100)
exec "%s" "${arguments[@]}"
"""


class Block:
    def __init__(self, line, language, text):
        self.line, self.language, self.text = line, language, text


def blocks_of(page):
    blocks, language, start = [], None, 0
    lines = page.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        if not line.startswith("```"):
            continue
        if language is None:
            language, start = line[3:], number
            assert language in LANGUAGES, f"{page}:{number}: a block of '{language}', expected one of {sorted(LANGUAGES)}"
        else:
            blocks.append(Block(start + 1, language, "\n".join(lines[start:number - 1]) + "\n"))
            language = None
    assert language is None, f"{page}:{start}: the block does not end"
    return blocks


def runnable(root, name):
    """The shell blocks to run. Those that are skipped must parse, and the scripts that they name must exist."""
    shell = [block for block in blocks_of(root / name) if block.language == "sh"]
    left = dict(SKIPPED.get(name, {}))
    found = []
    for block in shell:
        parts = [part for part in left if part in block.text]
        if not parts:
            found.append(block)
            continue
        del left[parts[0]]
        done = subprocess.run(["bash", "-n", "-c", block.text], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{name}:{block.line}: {done.stderr}"
        for script in re.findall(r"\bscripts/[\w.]+\.(?:sh|py)\b", block.text):
            assert os.access(root / script, os.X_OK) or script.endswith(".py"), f"{name}:{block.line}: no {script}"
            assert (root / script).exists(), f"{name}:{block.line}: no {script}"
    assert not left, f"{name}: no block to skip has {list(left)}"
    return found


def anchors_of(page):
    """Explicit anchors, and those that GitHub makes of headings: small letters, blanks as hyphens, no other punctuation."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a id="([^"]+)">', text))


def check_links(page):
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)", page.read_text(encoding="utf-8")):
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), f"{page.name} links to {target}, which does not exist"
        assert not anchor or anchor in anchors_of(path), f"{page.name} links to {target}#{anchor}, which {path.name} does not have"


def check_flags_are_explained(page):
    """Every flag in a shell block of README occurs in its text, too: nobody has to look one up elsewhere."""
    whole = page.read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```$", "", whole, flags=re.MULTILINE | re.DOTALL)
    flags = {flag for block in blocks_of(page) if block.language == "sh"
             for flag in re.findall(r"(?<![\w-])(--?[a-z][a-z_-]*)\b", re.sub(r"#.*", "", block.text))}
    missing = sorted(flag for flag in flags - FLAGS_OF_OTHERS if not re.search(rf"`[^`]*{flag}\b[^`]*`", prose))
    assert not missing, f"{page.name}: {missing} are used and not explained"


# --- what a reader has ------------------------------------------------------------------------------------------------


def png(width, height, channels, pixels):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = width * channels
    raw = b"".join(b"\0" + bytes(pixels[y * row:(y + 1) * row]) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2}[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def texture(generator, kind, side):
    """Stripes whose direction is that of the class, in colour, with noise."""
    phase = generator.randrange(8)
    level = [lambda x, y: x, lambda x, y: y, lambda x, y: x + y, lambda x, y: x - y][kind]
    return [min(255, (180 if (level(x, y) + phase) % 8 < 4 else 40) + generator.randrange(40))
            for y in range(side) for x in range(side) for _ in range(3)]


def make_photos(folder, names, digits):
    generator = random.Random(1)
    for kind, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for i in range(30):
            # PNG under the name of the page: the first bytes decide.
            (folder / name / f"{i + 1:0{digits}}.jpg").write_bytes(png(40, 40, 3, texture(generator, kind, 40)))


def make_mnist(folder):
    folder.mkdir()
    generator = random.Random(2)
    for split, count in (("train", 600), ("t10k", 120)):
        labels = bytes(i % 10 for i in range(count))
        images = bytearray()
        for label in labels:
            image = bytearray(28 * 28)
            for _ in range(60):
                y, x = 3 + 2 * label + generator.randrange(4), 4 + generator.randrange(20)
                image[28 * y + x] = 255 - generator.randrange(4)
            images += image
        (folder / f"{split}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, count, 28, 28) + images)
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, count) + labels)


def network(name, height, width, channels, units):
    layers = f'[[layer]]\nname = "flatten"\nop = "reshape"\n\n[[layer]]\nname = "out"\nop = "fully_connected"\nunits = {units}\n'
    return f'name = "{name}"\nclasses = 4\n\n[input]\nheight = {height}\nwidth = {width}\nchannels = {channels}\n\n{layers}'


def make_arrays(folder):
    """What docs/data.md speaks of: a signal with classes, masks, spots with their places as labels."""
    import numpy as np

    generator = np.random.default_rng(3)

    def save(name, x, y):
        cut = len(x) * 5 // 6
        np.savez(folder / name, x_train=x[:cut], y_train=y[:cut], x_test=x[cut:], y_test=y[cut:])

    labels = np.arange(240) % 4
    waves = np.sin(np.arange(32)[None, :] * (labels[:, None] + 1) * 0.3) * 100 + 128
    save("mine.npz", (waves + generator.normal(0, 5, waves.shape)).clip(0, 255).astype("uint8")[:, None, :, None], labels)
    (folder / "mine.toml").write_text(network("mine", 1, 32, 1, 4))

    cells = np.zeros((24, 64, 64, 3), "uint8")
    masks = np.zeros((24, 64, 64), "uint8")
    spots, places = np.zeros((240, 12, 12), "uint8"), np.zeros((240, 2), "float32")
    for i in range(24):
        y, x = generator.integers(8, 56, 2)
        cells[i, y - 8:y + 8, x - 8:x + 8] = 200
        masks[i, y - 8:y + 8, x - 8:x + 8] = 1
    for i in range(240):
        y, x = generator.integers(1, 11, 2)
        spots[i, y - 1:y + 2, x - 1:x + 2] = 255
        places[i] = y / 12, x / 12
    save("cells.npz", cells, masks)
    save("spots.npz", spots, places)
    (folder / "spot.toml").write_text(network("spot", 12, 12, 1, 2))
    (folder / "my.toml").write_text(network("my", 24, 24, 3, 4))


def make_weights(folder, page):
    """The network of docs/tutorials/from-pytorch.md as it stands there, and weights that PyTorch would have saved of it."""
    (folder / "lenet.toml").write_text(next(block.text for block in blocks_of(page) if block.language == "toml"))
    generator, header, values = random.Random(4), [], b""
    shapes = {"conv1": [6, 1, 5, 5], "conv2": [16, 6, 5, 5], "fc1": [120, 400], "fc2": [84, 120], "fc3": [10, 84]}
    for name, shape in shapes.items():
        fan_in = 1
        for size in shape[1:]:
            fan_in *= size
        for suffix, sizes in (("weight", shape), ("bias", shape[:1])):
            count = shape[0] * (fan_in if suffix == "weight" else 1)
            end = len(values) + 4 * count
            header.append(f'"{name}.{suffix}":{{"dtype":"F32","shape":{sizes},"data_offsets":[{len(values)},{end}]}}')
            values += struct.pack(f"<{count}f", *(generator.gauss(0, (2 / fan_in) ** 0.5) for _ in range(count)))
    text = ("{" + ",".join(header) + "}").encode()
    (folder / "lenet.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + values)


def make_sensor(folder):
    """What your-own-sensor.md speaks of: three kinds of motion, and a table whose classes follow from two columns."""
    import numpy as np

    generator = np.random.default_rng(4)
    kinds = np.arange(120) % 3
    time = np.arange(100)[None, :, None]
    waves = np.sin(time * (kinds[:, None, None] + 1) * 0.07) * (np.arange(6) + 0.5) * 9.81
    x = (waves + generator.normal(0, 1, (120, 100, 6))).astype("float32")
    np.savez(folder / "motion.npz", x=x, y=np.array(["sit", "walk", "run"])[kinds])
    np.save(folder / "new.npy", x[:2])
    rows = [f"{t:.1f},{p:.1f},{h:.2f},{'rain' if h > 0.6 and p < 1010 else 'dry'}"
            for t, p, h in generator.uniform((5, 990, 0.2), (30, 1030, 1.0), (120, 3))]
    (folder / "weather.csv").write_text("\n".join(["temperature,pressure,humidity,state", *rows]) + "\n")


def make_tasks(folder):
    """What other-tasks.md speaks of: rare faults, weather with several labels, two numbers far apart, a machine, a street."""
    import numpy as np

    generator = np.random.default_rng(5)

    def table(name, heads, rows):
        (folder / name).write_text("\n".join([",".join(heads), *(",".join(map(str, row)) for row in rows)]) + "\n")

    x = generator.normal(0, 1, (240, 8)).astype("float32")
    np.savez(folder / "faults.npz", x=x, y=(x[:, 0] + x[:, 1] > 1.5).astype(int))
    layers = '[[layer]]\nname = "score"\nop = "fully_connected"\nunits = 1\n'
    (folder / "one_score.toml").write_text(f'name = "one_score"\n\n[input]\nheight = 1\nwidth = 1\nchannels = 8\n\n{layers}')
    rows = generator.uniform(0, 1, (240, 3))
    table("weather.csv", ["a", "b", "c", "rain", "wind", "frost"],
          [[*map("{:.3f}".format, row), *(row > (0.5, 0.6, 0.8)).astype(int)] for row in rows])
    table("boiler.csv", ["a", "b", "temperature", "pressure"],
          [[f"{a:.3f}", f"{b:.3f}", f"{300 + 10 * a:.3f}", f"{0.001 * b:.6f}"] for a, b, _ in rows])
    normal = np.sin(generator.uniform(-1, 1, (200, 1)) * 3 + 0.3 * np.arange(16)).astype("float32")
    odd = np.concatenate([normal[:40], generator.uniform(-1, 1, (40, 16)).astype("float32")])
    np.savez(folder / "machine.npz", x_train=normal, y_train=np.zeros(200, int), x_test=odd, y_test=np.repeat([0, 1], 40))
    street = generator.integers(0, 256, (24, 64, 64, 3)).astype("uint8")
    holes = (street[..., 0] > 128).astype("uint8")
    holes[:, :4] = 255
    np.savez(folder / "street.npz", x=street, y=holes)


def make_model(folder, environment):
    for command in ("qat-train --data digits --preset lenet --epochs 6 -o run", "qat-freeze run -o model.qgraph"):
        subprocess.run(command.split(), cwd=folder, env=environment, check=True, capture_output=True)


def prepare(root, name, folder, environment):
    if name == "README.md":
        make_photos(folder / "photos", ["cat", "dog", "horse", "other"], 3)
    if name == "docs/tutorials/your-own-pictures.md":
        make_photos(folder / "photos", ["apple", "banana", "cherry", "plum"], 4)
    if name in ("README.md", "docs/tutorials/article.md"):
        make_mnist(folder / "mnist")
    if name == "docs/data.md":
        make_photos(folder / "photos", ["cat", "dog", "horse", "other"], 3)
        make_arrays(folder)
    if name == "docs/tutorials/from-pytorch.md":
        make_mnist(folder / "mnist")
        make_weights(folder, root / name)
    if name == "docs/tutorials/your-own-sensor.md":
        make_sensor(folder)
    if name == "docs/tutorials/other-tasks.md":
        make_tasks(folder)
    if name in ("docs/formats.md", "docs/precisions.md", "docs/debug.md"):
        make_model(folder, environment)
    if name == "docs/debug.md":
        subprocess.run(["qat-convert", "model.qgraph", "-o", "model.tflite"], cwd=folder, env=environment, check=True, capture_output=True)


# --- running ----------------------------------------------------------------------------------------------------------


def wrap(folder, programs):
    folder.mkdir()
    for name, text in (("qat-train", TRAIN), ("qat-eval", EVAL)):
        (folder / name).write_text(text % (programs / name))
        (folder / name).chmod(0o755)


def run_page(root, name, programs):
    blocks = runnable(root, name)
    print(f"{name}: {len(blocks)} blocks to run, {len(SKIPPED.get(name, {}))} skipped")
    if not blocks:
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary) / "reader"
        folder.mkdir()
        wrap(folder.parent / "wrapped", programs)
        environment = dict(os.environ) | {"PATH": f"{folder.parent / 'wrapped'}:{programs}:{os.environ['PATH']}"}
        prepare(root, name, folder, environment)
        (folder / "scripts").symlink_to(root / "scripts")
        text = "set -euo pipefail\n" + "".join(f"echo '== {name}:{block.line}'\n{block.text}" for block in blocks)
        done = subprocess.run(["bash", "-c", text], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        assert done.returncode == 0, f"exit code {done.returncode} after:\n{done.stdout}"
        for path in LEAVES.get(name, []):
            assert (folder / path).stat().st_size > 0, f"{name}: left no {path}:\n{done.stdout}"
        for said in PRINTS.get(name, []):
            assert said in done.stdout, f"{name}: did not say '{said}':\n{done.stdout}"


def main():
    root, name, programs = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2], pathlib.Path(sys.argv[3]).resolve()
    for page in SKIPPED | LEAVES | PRINTS:
        assert (root / page).exists(), f"{page} is listed here and does not exist"
    if name in ("docs/data.md", "docs/tutorials/your-own-sensor.md"):
        try:
            import numpy  # noqa: F401
        except ImportError:
            print("NumPy is missing; scripts/setup.sh --tests installs it")
            sys.exit(1 if os.environ.get("QAT_TEST_REQUIRE") == "1" else 77)
    check_links(root / name)
    if name == "README.md":
        check_flags_are_explained(root / name)
    run_page(root, name, programs)


main()
