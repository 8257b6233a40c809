"""Holds lib/target/rules.inc against those who know: TFLite Micro's interpreter, Vela, and TFLite's XNNPACK delegate.

usage: judge.py TARGET FOLDER VERDICTS [MOST]
  TARGET    tflite-micro, ethos-u or xnnpack
  FOLDER    models of qat_conformance_cases
  VERDICTS  the program target_verdicts
  MOST      models to judge (default: all), drawn at random, the same every time

What the rules let pass must run: any other model is an error. What they refuse may run in a third of the cases, because a rule covers
shapes and types that were not all tried. Exit code 77: the judge is not installed.
"""

import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

# Fails on the data of a random model, not on the model: negative inputs.
OF_DATA = ("RSQRT",)


def in_a_child(work):
    """Whether `work` returns True in a process of its own, which may crash; its standard error."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writer, 2)
        code = 1
        try:
            code = 0 if work() else 1
        except Exception as error:  # noqa: BLE001 - whatever the interpreter throws means that it does not run
            os.write(2, str(error).encode())
        os._exit(code)
    os.close(writer)
    text = b""
    while chunk := os.read(reader, 65536):
        text += chunk
    os.close(reader)
    _, status = os.waitpid(child, 0)
    return status == 0, text.decode(errors="replace")


def micro():
    from tflite_micro import runtime

    def judge(path):
        def work():
            runtime.Interpreter.from_file(str(path), arena_size=8 << 20).invoke()
            return True

        runs, text = in_a_child(work)
        return None if not runs and "for positive values" in text and any(name in text for name in OF_DATA) else runs

    return judge


def vela():
    import ethosu.vela  # noqa: F401 - is it there?

    program = pathlib.Path(sys.executable).with_name("vela")
    output = tempfile.mkdtemp()

    def judge(path):
        done = subprocess.run([program, path, "--output-dir", output, "--accelerator-config", "ethos-u55-128"], check=False,
                              capture_output=True, text=True)
        found = re.search(r"CPU operators = (\d+)", done.stdout)
        return done.returncode == 0 and found is not None and found.group(1) == "0"

    return judge


def xnnpack():
    from ai_edge_litert.interpreter import Interpreter

    def judge(path):
        operators = []

        def names():
            interpreter = Interpreter(model_path=str(path))
            interpreter.allocate_tensors()
            found = [each["op_name"] for each in interpreter._get_ops_details()]
            os.write(2, ("operators " + " ".join(found)).encode())
            return True

        runs, text = in_a_child(names)
        if not runs:
            return None  # the delegate takes it and then cannot prepare it: a model that no rule of operators describes
        operators = text.rpartition("operators ")[2].split()
        # Only of a model of one operator does the list say whether the delegate has it.
        return None if len([each for each in operators if each != "DELEGATE"]) != 1 else "DELEGATE" in operators

    return judge


def main():
    target, folder, verdicts = sys.argv[1:4]
    try:
        judge = {"tflite-micro": micro, "ethos-u": vela, "xnnpack": xnnpack}[target]()
    except ImportError as error:
        print(f"{error}: the rules of {target} were not judged")
        sys.exit(1 if os.environ.get("QAT_TEST_REQUIRE") == "1" else 77)
    models = sorted(pathlib.Path(folder).glob("*.tflite"))
    if len(sys.argv) > 4:
        models = sorted(random.Random(7).sample(models, min(len(models), int(sys.argv[4]))))
    ours = {}
    for first in range(0, len(models), 500):
        text = subprocess.run([verdicts, target, *models[first:first + 500]], check=True, capture_output=True, text=True).stdout
        ours |= {line.split(" ")[0]: line for line in text.splitlines()}
    counts = {(a, b): 0 for a in (True, False) for b in (True, False)}
    wrong = []
    for path in models:
        runs = judge(path)
        if runs is None:
            continue
        passes = ours[str(path)].split(" ")[1] == "runs"
        counts[passes, runs] += 1
        if passes and not runs:
            wrong.append(ours[str(path)])
    print(f"{target}: {counts[True, True]} run as said, {counts[False, False]} refused as said, {counts[False, True]} refused that run, "
          f"{counts[True, False]} let pass that do not run")
    for line in wrong[:20]:
        print("  " + line)
    refused = counts[False, True] + counts[False, False]
    if wrong or counts[True, True] == 0 or counts[False, False] == 0 or counts[False, True] > refused / 3:
        sys.exit(1)


if __name__ == "__main__":
    main()
