#!/usr/bin/env python3
"""Changes one operator of the sources at a time and looks whether a test notices.

  mutation_test.py [--count 200] [--seed 1] [--room FOLDER]... [--jobs N] -o OUT

A mutant is a comparison that takes or leaves equality, a rounding of another kind, an offset with another sign or without its 1, or a bound
that is the other one (min and max, and and or). Sites are drawn evenly from the four kinds, from the sources under lib that need no LibTorch, or from
each --room (as lib/quant). The tests of the site's own room run first, then all others, then the comparisons with the TFLite interpreter.

OUT/tree is a copy of HEAD with a build of its own, so the working tree is left alone. OUT/mutants.jsonl has a line per mutant: what was changed
and which test noticed. A later run with the same -o goes on where the earlier one stopped. Prints the survivors. Exit status: 0 no
survivor, 1 survivors, 2 wrong flags, 3 the copy cannot be built or its tests fail without a mutant.
"""
import argparse
import json
import os
import pathlib
import random
import re
import resource
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
# LibTorch, text for people, and programs: other tests than these would be needed.
LEFT_OUT = ("lib/train/", "lib/report/", "lib/cli/")
MUTATIONS = {
    "comparison": [(" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > "), (" == ", " != "), (" != ", " == ")],
    "rounding": [("std::round(", "std::trunc("), ("std::lround(", "static_cast<long>("), ("std::llround(", "static_cast<long long>("),
                 ("std::nearbyint(", "std::trunc("), ("std::rint(", "std::trunc("), ("std::floor(", "std::ceil("),
                 ("std::ceil(", "std::floor("), ("std::trunc(", "std::round("), (" >> 1", " >> 2"), (" / 2", " / 3"), ("0.5", "0.25")],
    "offset": [(" + 1", ""), (" - 1", ""), (" + ", " - "), (" - ", " + ")],
    "bound": [("std::min(", "std::max("), ("std::max(", "std::min("), ("std::min<", "std::max<"), ("std::max<", "std::min<"),
              (" && ", " || "), (" || ", " && "), ("::max()", "::max() / 2"), ("::lowest()", "::lowest() / 2"), ("::min()", "::min() / 2")],
}
TEST_SECONDS = 300  # some ten times what the slowest executable takes here
TEST_BYTES = 12 << 30  # a mutated loop may allocate without end


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--room", action="append", default=[])
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("-o", type=pathlib.Path, required=True, metavar="OUT")
    return parser.parse_args()


def code_only(text):
    """The text with comments, strings and directives as blanks, so that positions stay."""
    blank = lambda match: re.sub(r"[^\n]", " ", match[0])  # noqa: E731
    pattern = r'//[^\n]*|/\*.*?\*/|R"\(.*?\)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'|^[ \t]*#[^\n]*'
    return re.sub(pattern, blank, text, flags=re.DOTALL | re.MULTILINE)


def sites_of(path, text):
    code = code_only(text)
    lines = text.split("\n")
    for kind, changes in MUTATIONS.items():
        for old, new in changes:
            for match in re.finditer(re.escape(old), code):
                number = code.count("\n", 0, match.start()) + 1
                after = code[match.end():match.end() + 1]
                if old.endswith(("1", "2", "5")) and (after.isalnum() or after in "._'"):
                    continue  # a longer number
                if old in (" + ", " - ") and ('"' in lines[number - 1] or code[match.end():match.end() + 2].rstrip(";),]") in ("1", "1 ")):
                    continue  # texts joined; the 1 is a mutant of its own
                yield {"kind": kind, "file": str(path), "line": number, "at": match.start(), "old": old, "new": new}


def all_sites(tree, rooms):
    sites = {kind: [] for kind in MUTATIONS}
    for path in sorted((tree / "lib").rglob("*")):
        name = path.relative_to(tree)
        if path.suffix not in (".cc", ".h") or str(name).startswith(LEFT_OUT):
            continue
        if rooms and not any(str(name).startswith(room.rstrip("/") + "/") for room in rooms):
            continue
        for site in sites_of(name, path.read_text(encoding="utf-8")):
            sites[site["kind"]].append(site)
    return sites


def order_of(sites, seed):
    """Endless draws without repetition, the kinds in turn."""
    chance = random.Random(seed)
    for kind in sites:
        chance.shuffle(sites[kind])
    while any(sites.values()):
        for kind in sites:
            if sites[kind]:
                yield sites[kind].pop()


class Tree:
    def __init__(self, out, jobs):
        self.folder, self.jobs = (out / "tree").resolve(), jobs
        self.build = self.folder / "build-no-torch"
        self.environment = os.environ | {"QAT_TEST_DATA": str(ROOT.parent / "shared/data")}

    def make(self):
        if not self.folder.is_dir():
            part = self.folder.with_name("tree.part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            archive = subprocess.run(["git", "-C", str(ROOT), "archive", "HEAD"], capture_output=True, check=True).stdout
            subprocess.run(["tar", "-x", "-C", str(part)], input=archive, check=True)
            part.rename(self.folder)
        # A read or a write one past the end of a container is noticed, too.
        subprocess.run(["cmake", "--preset", "no-torch", "-DCMAKE_CXX_FLAGS=-D_GLIBCXX_ASSERTIONS -O1",
                        f"-DQAT_LITERT_PYTHON={ROOT}/build/litert-venv/bin/python", "-DQAT_CONFORMANCE_CASES=600", "-DQAT_CONFORMANCE_INPUTS=1"],
                       cwd=self.folder, check=True, stdout=subprocess.DEVNULL)
        return self.make_targets([])

    def make_targets(self, targets):
        result = subprocess.run(["ninja", "-C", str(self.build), f"-j{self.jobs}", *targets], capture_output=True, text=True, check=False)
        return result.returncode == 0

    def tests(self):
        return sorted(path.name for path in (self.build / "bin").glob("qat_*_test"))

    def run(self, *command):
        """True where it succeeds in time."""
        limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (TEST_BYTES, TEST_BYTES))  # noqa: E731
        try:
            return subprocess.run(command, cwd=self.build, env=self.environment, preexec_fn=limit, timeout=TEST_SECONDS,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def passes(self, test):
        if test == "conformance":
            return self.run("ctest", "-R", "^conformance", "--stop-on-failure", "-j", str(self.jobs))
        return self.run(str(self.build / "bin" / test), "--gtest_fail_fast", "--gtest_brief=1")


def own_tests(file, tests):
    """Names of the room's executables, deepest folder first: lib/runtime/kernels/x.cc has those of runtime/kernels and of runtime."""
    parts = pathlib.Path(file).parts[1:-1]
    names = ["qat_" + "_".join(parts[:length]) + "_test" for length in range(len(parts), 0, -1)]
    return [name for name in names if name in tests]


def judge(tree, site, tests):
    path = tree.folder / site["file"]
    text = path.read_text(encoding="utf-8")
    at, old = site["at"], site["old"]
    assert text[at:at + len(old)] == old
    path.write_text(text[:at] + site["new"] + text[at + len(old):], encoding="utf-8")
    try:
        own = own_tests(site["file"], tests)
        if own and not tree.make_targets(own):
            return "does not compile"
        for test in own:
            if not tree.passes(test):
                return test
        if not tree.make_targets([]):
            return "does not compile"
        for test in [*(name for name in tests if name not in own), "conformance"]:
            if not tree.passes(test):
                return test
        return "survives"
    finally:
        path.write_text(text, encoding="utf-8")


def described(site, tree):
    line = (tree.folder / site["file"]).read_text(encoding="utf-8").split("\n")[site["line"] - 1].strip()
    return f"{site['file']}:{site['line']}: '{site['old'].strip()}' as '{site['new'].strip()}': {line}"


def main():
    arguments = parse_arguments()
    if arguments.count < 1 or arguments.jobs < 1:
        print("mutation_test.py: --count and --jobs: expected whole numbers from 1 on", file=sys.stderr)
        return 2
    arguments.o.mkdir(parents=True, exist_ok=True)
    tree = Tree(arguments.o, arguments.jobs)
    if not tree.make():
        print(f"mutation_test.py: {tree.folder} cannot be built", file=sys.stderr)
        return 3
    tests = tree.tests()
    record = arguments.o / "mutants.jsonl"
    done = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()] if record.exists() else []
    if not done:
        broken = [test for test in [*tests, "conformance"] if not tree.passes(test)]
        if broken:
            print(f"mutation_test.py: without a mutant: {', '.join(broken)} fail in {tree.folder}", file=sys.stderr)
            return 3
    known = {(row["file"], row["at"], row["old"], row["new"]) for row in done}
    judged = sum(row["verdict"] != "does not compile" for row in done)
    for site in order_of(all_sites(tree.folder, arguments.room), arguments.seed):
        if judged >= arguments.count:
            break
        if (site["file"], site["at"], site["old"], site["new"]) in known:
            continue
        start = time.time()
        site["verdict"] = judge(tree, site, tests)
        site["seconds"] = round(time.time() - start)
        with record.open("a", encoding="utf-8") as file:
            file.write(json.dumps(site) + "\n")
        done.append(site)
        judged += site["verdict"] != "does not compile"
        print(f"{judged}/{arguments.count}  {site['seconds']} s  {site['verdict']}  {described(site, tree)}", flush=True)
    survivors = [site for site in done if site["verdict"] == "survives"]
    print(f"{judged} mutants, {judged - len(survivors)} noticed, {len(survivors)} survivors")
    for site in survivors:
        print(described(site, tree))
    return 1 if survivors else 0


sys.exit(main())
