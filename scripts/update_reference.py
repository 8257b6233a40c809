#!/usr/bin/env python3
"""Writes the parts of docs/cli.md and docs/recipe.md that the programs themselves know: flags, defaults, keys of recipes.

usage: scripts/update_reference.py [--check] [FOLDER_OF_PROGRAMS]     (default: build/bin)

A part lies between the lines `<!-- NAME -->` and `<!-- end -->`. --check writes nothing. Exit status: 0, 1 where a page differs from
what the programs say, 2 where a program cannot be run.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = ("qat-train", "qat-freeze", "qat-convert", "qat-eval")


def run(programs, name, *flags):
    try:
        return subprocess.run([programs / name, *flags], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"update_reference.py: {error}: {getattr(error, 'stderr', '')}", file=sys.stderr)
        sys.exit(2)


def recipe(programs):
    """Keys in the order of config.toml, with the flag, default and meaning that --help has of them."""
    rows = {}
    for line in run(programs, "qat-train", "--help-as", "markdown").splitlines():
        row = re.fullmatch(r"\| `(?:-\w, )?--([a-z-]+)(?: ((?:\\\||[^`])*))?` \| (.*) \| (.*) \|", line)
        if row:
            rows[row[1].replace("-", "_")] = row
    table = "| key | flag | default | meaning |\n| --- | --- | --- | --- |\n"
    for key in re.findall(r"^(\w+) = ", run(programs, "qat-train", "--print-config", "--preset", "lenet"), re.MULTILINE):
        row = rows.get(key)
        if row is None:
            print(f"update_reference.py: key {key} of config.toml is no flag of qat-train", file=sys.stderr)
            sys.exit(2)
        table += f"| `{key}` | `--{row[1]} {row[2]}` | {row[4]} | {row[3]} |\n"
    return table


def parts(programs):
    made = {name: run(programs, name, "--help-as", "markdown") for name in PROGRAMS}
    return made | {"recipe": recipe(programs)}


def filled(text, made):
    for name, part in made.items():
        start, end = f"<!-- {name} -->\n", "<!-- end -->"
        text = re.sub(f"{re.escape(start)}.*?{end}", lambda _: f"{start}\n{part}\n{end}", text, flags=re.DOTALL)
    return text


def main():
    words = [word for word in sys.argv[1:] if word != "--check"]
    if len(words) > 1 or (words and words[0].startswith("-")):
        sys.exit(__doc__)
    made = parts(pathlib.Path(words[0] if words else ROOT / "build/bin").resolve())
    status = 0
    for name in ("docs/cli.md", "docs/recipe.md"):
        before = (ROOT / name).read_text(encoding="utf-8")
        after = filled(before, made)
        if before == after:
            continue
        if "--check" in sys.argv:
            print(f"{name} is not what the programs say; scripts/update_reference.py writes it")
            status = 1
        else:
            (ROOT / name).write_text(after, encoding="utf-8")
            print(f"{name} was written")
    return status


sys.exit(main())
