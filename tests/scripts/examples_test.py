"""Runs an example of a page as it is printed, with a few steps of training.

usage: examples_test.py make|yaml|sh PAGE.md FOLDER_OF_PROGRAMS
Exit code 77: PyYAML is missing.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

SMALL = {"STEPS": "12", "LIMIT": "200", "SEEDS": "1", "MAX_DROP": "100"}


def printed(page, language):
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1, f"{len(blocks)} blocks of {language}, expected 1"
    return blocks[0]


def run(command, folder, environment):
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def must(command, folder, environment):
    code, text = run(command, folder, environment)
    assert code == 0, f"{command} ended with {code}:\n{text}"
    return text


def test_make(text, folder, environment):
    (folder / "Makefile").write_text(text)
    must(["make"], folder, environment)
    models = json.loads((folder / "table.json").read_text())["models"]
    assert [model["type"] for model in models] == ["float32", "uint8", "int8"], models
    assert "| runs/int8-1/model.tflite |" in (folder / "table.md").read_text()
    assert "up to date" in must(["make"], folder, environment), "something is made again"
    # A gate that failed fails again, and nothing is trained for it.
    for _ in range(2):
        code, said = run(["make", "MAX_DROP=-100"], folder, environment)
        assert code != 0 and "FAIL" in said and "qat-train" not in said, said
    assert "qat-train" not in must(["make"], folder, environment)
    assert "up to date" in must(["make"], folder, environment)
    # A changed variable trains again.
    must(["make", "STEPS=13"], folder, environment)
    assert "steps = 13\n" in (folder / "runs/uint8-1/config.toml").read_text()
    assert "up to date" in must(["make", "STEPS=13"], folder, environment)
    traced = must(["make", "trace", "STEPS=13"], folder, environment)
    assert traced.count("the chain is whole") == 3, traced


class Job:
    """The run steps of a workflow, in order, as a runner takes them: with bash, and further after a failure only where asked."""

    def __init__(self, text, folder, environment):
        import yaml

        self.steps = [step for step in yaml.safe_load(text)["jobs"]["model"]["steps"] if "run" in step]
        self.folder = folder
        self.files = {name: folder / name.lower() for name in ("GITHUB_PATH", "GITHUB_STEP_SUMMARY")}
        self.environment = environment | {name: str(path) for name, path in self.files.items()}

    def run(self, **changes):
        for path in self.files.values():
            path.write_text("")
        failed = None
        for step in self.steps:
            if failed and step.get("if") != "always()":
                continue
            path = self.files["GITHUB_PATH"].read_text().split()
            environment = self.environment | changes
            environment["PATH"] = ":".join(path[::-1] + [environment["PATH"]])
            code, text = run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]], self.folder, environment)
            if code != 0:
                failed = failed or (step["name"], code, text)
        return failed

    def summary(self):
        return self.files["GITHUB_STEP_SUMMARY"].read_text()


def test_yaml(text, folder, environment):
    programs = environment["PATH"].split(":")[0]
    environment = environment | {"PATH": environment["PATH"].split(":", 1)[1]}
    (folder / "qat/build").mkdir(parents=True)
    (folder / "qat/build/bin").symlink_to(programs)  # as out of the cache
    job = Job(text, folder, environment)
    failed = job.run()
    assert failed is None, failed
    assert re.search(r"all \d+ gates passed", job.summary()), job.summary()
    # Held against itself it passes again; too large a model fails by name, and still leaves summary and report.
    shutil.copy(folder / "report.json", folder / "baseline.json")
    assert job.run() is None
    assert "baseline" in job.summary(), job.summary()
    failed = job.run(MAX_SIZE="1000")
    assert failed is not None and failed[:2] == ("Gate", 1), failed
    assert re.search(r"1 of \d+ gates failed", job.summary()), job.summary()
    cases = xml.etree.ElementTree.parse(folder / "report.xml").getroot().iter("testcase")
    assert [case.get("name") for case in cases if case.find("failure") is not None], "no failure in JUnit"


def test_sh(text, folder, environment):
    said = must(["bash", "-c", text], folder, environment)
    accuracy = float((folder / "accuracy.txt").read_text())
    wrong = len((folder / "wrong.txt").read_text().splitlines())
    assert accuracy == 100 * (200 - wrong) / 200, (accuracy, wrong)
    assert "the chain is whole" in said, said


def main():
    language, page, programs = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]).resolve()
    if language == "yaml":
        try:
            import yaml  # noqa: F401
        except ImportError:
            print("PyYAML is missing")
            sys.exit(1 if os.environ.get("QAT_TEST_REQUIRE") == "1" else 77)
    environment = dict(os.environ) | SMALL | {"PATH": f"{programs}:{os.environ['PATH']}"}
    environment.pop("MAKEFLAGS", None)
    with tempfile.TemporaryDirectory() as name:
        globals()[f"test_{language}"](printed(page, language), pathlib.Path(name), environment)


main()
