#!/usr/bin/env python3
"""ONNX's own tests of operators, small modules, and networks of torchvision by both of PyTorch's exporters, held against the import.

Every node test of the onnx package is a model of one operator with inputs and outputs that its authors computed. Inputs that are weights,
sizes or scales become initializers; qat-convert imports the model and compares (--verify). Networks are compared with PyTorch's own
output; their int8 forms with the TFLite interpreter, byte for byte.
"""
import argparse
import collections
import contextlib
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, "build", "onnx-venv")
PACKAGES = ["onnx==1.23.2", "onnxruntime==1.32.0", "onnxscript", "numpy", "ai-edge-litert==2.3.0", "torch==2.13.0", "torchvision", "safetensors"]
NETWORKS = ["resnet18", "mobilenet_v2", "mobilenet_v3_small", "shufflenet_v2_x1_0", "squeezenet1_1", "efficientnet_b0", "mnasnet1_0",
            "regnet_y_400mf", "densenet121", "googlenet", "inception_v3", "convnext_tiny", "lraspp_mobilenet_v3_large"]

# By operator: the inputs that are data; all others become initializers. Not listed: every real input is data.
DATA_INPUTS = collections.defaultdict(lambda: None, {
    "Conv": [0], "ConvTranspose": [0], "BatchNormalization": [0], "InstanceNormalization": [0], "GroupNormalization": [0],
    "LayerNormalization": [0], "RMSNormalization": [0], "Gemm": [0], "PRelu": [0], "Clip": [0], "Resize": [0], "Upsample": [0], "Pad": [0],
    "Slice": [0], "Gather": [0], "Reshape": [0], "Squeeze": [0], "Unsqueeze": [0], "Expand": [0], "Tile": [0], "Split": [0], "Pow": [0],
    "CumSum": [0], "Trilu": [0], "QuantizeLinear": [0], "DequantizeLinear": [0], "Dropout": [0],
    "Where": [1, 2], "OneHot": [0], **dict.fromkeys(("RNN", "GRU", "LSTM"), [0, 5, 6])})


def ensure_venv():
    """Re-runs this script with the packages that it needs, in a virtual environment of its own."""
    if os.path.realpath(sys.prefix) == os.path.realpath(VENV):
        return
    python = os.path.join(VENV, "bin", "python")
    if not os.path.exists(python):
        print(f"installing {', '.join(PACKAGES)} into {VENV}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        subprocess.run([os.path.join(VENV, "bin", "pip"), "-q", "install", *PACKAGES], check=True)
    os.execv(python, [python, *sys.argv])


def wrapped(model, case_inputs, case_outputs):
    """The model with data inputs that have a batch of 1, a batch in front of every output, and all else as initializers. None where that cannot be."""
    import numpy as np
    import onnx
    from onnx import helper, numpy_helper
    graph = model.graph
    node = graph.node[0] if len(graph.node) == 1 else None
    opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 0)
    feeds, before, after = {}, [], []
    axes = helper.make_tensor("wrap_axes", onnx.TensorProto.INT64, [1], [0])
    takes_axes = opset >= 13

    def unsqueezed(source, target):
        if takes_axes:
            return helper.make_node("Unsqueeze", [source, "wrap_axes"], [target])
        return helper.make_node("Unsqueeze", [source], [target], axes=[0])
    inputs = list(graph.input)
    del graph.input[:]
    if takes_axes:
        graph.initializer.append(axes)
    data = DATA_INPUTS[node.op_type] if node is not None else None
    for position, (info, value) in enumerate(zip(inputs, case_inputs)):
        places = [i for i, name in enumerate(node.input) if name == info.name] if node is not None else [position]
        is_data = isinstance(value, np.ndarray) and value.dtype in (np.float32, np.float64, np.float16)
        if data is not None and not any(place in data for place in places):
            is_data = False
        if not is_data:
            if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiub":
                return None, "inputs that are no arrays of numbers"
            graph.initializer.append(numpy_helper.from_array(value, info.name))
            continue
        if value.size == 0:
            return None, "empty inputs"
        real = value.astype(np.float32)
        if not np.isfinite(real).all():
            return None, "inputs that are not finite"
        steps_first = node is not None and node.op_type in ("RNN", "GRU", "LSTM")  # their second axis would be the batch
        if value.ndim in (2, 3, 4) and value.shape[0] == 1 and not steps_first:
            graph.input.append(helper.make_tensor_value_info(info.name, onnx.TensorProto.FLOAT, value.shape))
            feeds[info.name] = real
            continue
        # A row of values, which the network reshapes itself: its first axis is no batch.
        name = f"wrap_{info.name}"
        graph.input.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, (1, value.size)))
        graph.initializer.append(numpy_helper.from_array(np.array(value.shape, np.int64), f"shape_{info.name}"))
        before.append(helper.make_node("Reshape", [name, f"shape_{info.name}"], [info.name]))
        feeds[name] = real.reshape(1, -1)
    if not feeds:
        return None, "no input of real numbers"
    outputs, expected = list(graph.output), {}
    del graph.output[:]
    for info, value in zip(outputs, case_outputs):
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiub":
            return None, "outputs that are no arrays of numbers"
        if value.size == 0:
            return None, "empty outputs"
        if not np.isfinite(value.astype(np.float32)).all():
            return None, "outputs that are not finite"
        name = info.name
        if value.dtype.kind != "f":
            after.append(helper.make_node("Cast", [name], [f"real_{name}"], to=onnx.TensorProto.FLOAT))
            name = f"real_{name}"
        after.append(unsqueezed(name, f"wrap_{info.name}"))
        graph.output.append(helper.make_tensor_value_info(f"wrap_{info.name}", onnx.TensorProto.FLOAT, None))
        expected[f"wrap_{info.name}"] = value.astype(np.float32)[None]
    nodes = before + list(graph.node) + after
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]
    return model, (feeds, expected)


def run_convert(convert, arguments):
    done = subprocess.run([convert, *arguments], capture_output=True, text=True, timeout=600)
    return done.returncode, done.stderr.strip()


def last_lines(stderr):
    lines = [line for line in stderr.splitlines() if "error" in line or line.startswith("  ") or "cannot" in line or "differs" in line]
    return " ".join(lines or stderr.splitlines()[-1:])[:220]


def check_nodes(options):
    import numpy as np
    import onnx
    from onnx.backend.test.loader import load_model_tests
    counts, failed, refused, left = collections.Counter(), [], collections.defaultdict(list), collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "m.onnx")
        for case in load_model_tests(kind="node"):
            if options.only and not re.search(options.only, case.name):
                continue
            model = case.model
            data_sets = case.data_sets
            try:
                made, how = wrapped(model, *data_sets[0])
            except Exception as error:  # types that numpy does not have
                made, how = None, f"cannot be prepared: {type(error).__name__}"
            if made is None:
                left[how].append(case.name)
                continue
            feeds, expected = how
            onnx.save(made, path)
            np.savez(os.path.join(folder, "x.npz"), **feeds)
            np.savez(os.path.join(folder, "y.npz"), **expected)
            tolerance = str(case.rtol)  # 1e-3 with most: expected values of four digits, float16
            code, stderr = run_convert(options.convert, [path, "--type", "float32", "-o", os.path.join(folder, "m.tflite"), "--verify",
                                                         os.path.join(folder, "x.npz"), os.path.join(folder, "y.npz"), "--verify-tolerance", tolerance])
            if code == 0:
                counts["passed"] += 1
            elif code == 4:
                counts["refused"] += 1
                refused[last_lines(stderr)].append(case.name)
            else:
                counts["failed"] += 1
                failed.append((case.name, code, last_lines(stderr)))
    for name, code, why in failed:
        print(f"FAILED {name} (exit code {code}): {why}")
    for why, names in sorted(refused.items()):
        print(f"refused {len(names):4} {names[0]}: {why}")
    for why, names in sorted(left.items()):
        print(f"left out {len(names)}: {why}")
    print(f"{counts['passed']} passed, {counts['refused']} refused, {counts['failed']} failed, {sum(map(len, left.values()))} left out")
    return not failed


def import_torchvision():
    """Also where it was built for CUDA and PyTorch was not: then its own operators, of which no network here has any, are not there."""
    from torch import library
    try:
        import torchvision
    except RuntimeError:
        for module in [name for name in sys.modules if name.startswith("torchvision")]:
            del sys.modules[module]
        for operator in ("nms", "qnms"):
            library.define(f"torchvision::{operator}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision
    return torchvision


def export(name, folder):
    """The network by both exporters, seeded, after three batches in training mode; made once."""
    import torch
    paths = [os.path.join(folder, f"{name}.{exporter}.onnx") for exporter in ("script", "dynamo")]
    if all(map(os.path.exists, paths)):
        return paths
    torchvision = import_torchvision()
    torch.manual_seed(0)
    options = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
    if name.startswith("lraspp"):
        model = torchvision.models.segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None)


        class Maps(torch.nn.Module):
            def __init__(self, inner):
                super().__init__()
                self.inner = inner

            def forward(self, x):
                return self.inner(x)["out"]
        model = Maps(model)
    else:
        model = getattr(torchvision.models, name)(weights=None, **options)
    size = 299 if name == "inception_v3" else 224
    model.train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(4, 3, size, size))
    model.eval()
    x = torch.randn(1, 3, size, size)
    torch.onnx.export(model, (x,), paths[0], dynamo=False)
    torch.onnx.export(model, (x,), paths[1], dynamo=True, verbose=False)
    return paths


def interpreter_of(path):
    """With the reference kernels, unless these lack an operator (ELU) or compute it wrongly (SUM on int8)."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
    usual = Interpreter(model_path=path, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    operators = {op["op_name"] for op in usual._get_ops_details()}
    if not operators & {"ELU", "SUM"}:
        usual = Interpreter(model_path=path, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    usual.allocate_tensors()
    return usual


def interpret(path, *inputs):
    interpreter = interpreter_of(path)
    for detail, x in zip(interpreter.get_input_details(), inputs):
        interpreter.set_tensor(detail["index"], x)
    interpreter.invoke()
    return [interpreter.get_tensor(output["index"]) for output in interpreter.get_output_details()]


def check_network(path, options, folder):
    """(largest difference from ONNX Runtime as a part of the largest value, whether int8 gives TFLite's bytes, transposes)."""
    import numpy as np
    import onnxruntime
    rng = np.random.default_rng(1)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    shape = session.get_inputs()[0].shape
    pictures = rng.integers(0, 256, (4, *shape[2:], 3), dtype=np.uint8)
    x = ((pictures[:1].astype(np.float32) - 127.5) / 127.5).transpose(0, 3, 1, 2).copy()
    y = session.run(None, {session.get_inputs()[0].name: x})[0]
    at = {key: os.path.join(folder, key) for key in ("x.npy", "y.npy", "p.npy", "float.tflite", "int8.tflite", "q.npy", "out.npy")}
    np.save(at["x.npy"], x)
    np.save(at["y.npy"], y)
    np.save(at["p.npy"], pictures)
    done = subprocess.run([options.convert, path, "--type", "float32", "-o", at["float.tflite"], "--verify", at["x.npy"], at["y.npy"]],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(last_lines(done.stderr))
    difference, largest = re.search(r"differs by at most (\S+), values reach (\S+)", done.stdout).groups()
    done = subprocess.run([options.convert, path, "--type", "int8", "--calibrate", at["p.npy"], "--mean", "127.5", "--std", "127.5", "-o",
                           at["int8.tflite"], "--progress", "none"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(last_lines(done.stderr))
    from ai_edge_litert.interpreter import Interpreter
    interpreter = Interpreter(model_path=at["int8.tflite"])
    detail = interpreter.get_input_details()[0]
    transposes = sum(op["op_name"] == "TRANSPOSE" for op in interpreter._get_ops_details())
    q = rng.integers(-128, 128, detail["shape"]).astype(detail["dtype"])
    np.save(at["q.npy"], q)
    subprocess.run([options.eval, "run", at["int8.tflite"], "--input", at["q.npy"], "-o", at["out.npy"], "--progress", "none"], check=True,
                   stdout=subprocess.DEVNULL)
    theirs = interpret(at["int8.tflite"], q)[0]
    different = int(np.sum(np.load(at["out.npy"]).ravel() != theirs.ravel()))
    return float(difference) / max(float(largest), 1e-30), different, transposes


def transposes_of_onnx2tf(path, program):
    """In the float32 model that onnx2tf makes of the same file; "–" where it makes none."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter
    with tempfile.TemporaryDirectory() as folder:
        # Pictures to try conversions on, which it downloads where the working directory has none.
        pictures = np.random.default_rng(1).random((20, 128, 128, 3), dtype=np.float32)
        np.save(os.path.join(folder, "calibration_image_sample_data_20x128x128x3_float32.npy"), pictures)
        done = subprocess.run([os.path.abspath(program), "-i", os.path.abspath(path), "-o", folder, "--non_verbose"], capture_output=True, text=True,
                              check=False, cwd=folder)
        made = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith("_float32.tflite")]
        if done.returncode != 0 or not made:
            print(f"onnx2tf: {os.path.basename(path)}: exit code {done.returncode}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
            return "–"
        return sum(op["op_name"] == "TRANSPOSE" for op in Interpreter(model_path=made[0])._get_ops_details())


def check_networks(options):
    folder = os.path.join(ROOT, "build", "onnx-networks")
    os.makedirs(folder, exist_ok=True)
    good = True
    theirs = " | onnx2tf's" if options.onnx2tf else ""
    print(f"| network | exporter | float32 | int8 | transposes{theirs} |")
    print(f"| --- | --- | --- | --- | ---{' | ---' if theirs else ''} |")
    for name in NETWORKS:
        if options.only and not re.search(options.only, name):
            continue
        for path in export(name, options.exports or folder):
            exporter = path.split(".")[-2]
            try:
                with tempfile.TemporaryDirectory() as work:
                    difference, different, transposes = check_network(path, options, work)
            except (RuntimeError, ValueError, subprocess.CalledProcessError) as error:
                good = False
                print(f"| {name} | {exporter} | {error} | | |", flush=True)
                continue
            good = good and difference <= 1e-4 and different == 0
            if options.onnx2tf:
                theirs = f" | {transposes_of_onnx2tf(path, options.onnx2tf)}"
            print(f"| {name} | {exporter} | {difference:.1e} | {'equal' if different == 0 else f'{different} bytes differ'} | {transposes}{theirs} |",
                  flush=True)
    return good


def export_modules(folder, only):
    """Of each module the files of both exporters, and its inputs; what PyTorch cannot export is left out and named."""
    import logging
    import warnings
    import numpy as np
    import torch
    import onnx_modules
    warnings.filterwarnings("ignore")
    logging.disable(logging.ERROR)
    torch.set_num_threads(1)
    for name, module, inputs in onnx_modules.modules():
        if only and not re.search(only, name):
            continue
        names = [f"in{i}" for i in range(len(inputs))]
        for exporter in ("script", "dynamo"):
            path = os.path.join(folder, f"{name}.{exporter}.onnx")
            options = {"dynamo": True, "verbose": False} if exporter == "dynamo" else {"dynamo": False}
            try:
                with torch.no_grad(), open(os.devnull, "w") as sink, contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
                    torch.onnx.export(module, inputs, path, input_names=names, **options)
            except Exception as error:  # of many kinds
                print(f"not exported: {name} ({exporter}): {type(error).__name__}", flush=True)
                continue
            yield name, exporter, path, {key: np.asarray(value) for key, value in zip(names, inputs)}


def check_module(path, inputs, options, folder):
    """(largest difference from ONNX Runtime, bytes of int8 that are not TFLite's, or why there are none)."""
    import numpy as np
    import onnxruntime
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    expected = session.run(None, inputs)
    at = {key: os.path.join(folder, key) for key in ("x.npz", "y.npz", "c.npz", "float.tflite", "int8.tflite", "out.npy")}
    np.savez(at["x.npz"], **inputs)
    np.savez(at["y.npz"], **{output.name: y.astype(np.float32) for output, y in zip(session.get_outputs(), expected)})
    done = subprocess.run([options.convert, path, "--type", "float32", "-o", at["float.tflite"], "--verify", at["x.npz"], at["y.npz"],
                           "--verify-tolerance", "1"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(last_lines(done.stderr))
    differences = [float(d) / max(float(most), 1e-30) for d, most in re.findall(r"differs by at most (\S+), values reach (\S+)", done.stdout)]
    if len(differences) != len(expected):
        raise RuntimeError(f"{len(differences)} of {len(expected)} outputs were compared")
    rng = np.random.default_rng(1)
    moved = dict(re.findall(r"input '(.*?)' takes .*, the (batch first|channels last)", done.stderr))
    calibration = {}
    for name, value in inputs.items():
        if moved.get(name) == "batch first":
            value = np.moveaxis(value, 1, 0)
        values = np.concatenate([value, rng.standard_normal((7, *value.shape[1:])).astype(np.float32)])
        calibration[name] = np.moveaxis(values, 1, -1).copy() if moved.get(name) == "channels last" else values
    if len(calibration) == 1:
        at["c.npz"] = os.path.join(folder, "c.npy")
        np.save(at["c.npz"], *calibration.values())
    else:
        np.savez(at["c.npz"], **calibration)
    done = subprocess.run([options.convert, path, "--type", "int8", "--calibrate", at["c.npz"], "--input-type", "int8", "-o", at["int8.tflite"],
                           "--progress", "none"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(last_lines(done.stderr))
    quantized, given = [], []
    for position, detail in enumerate(interpreter_of(at["int8.tflite"]).get_input_details()):
        quantized.append(rng.integers(-128, 128, detail["shape"]).astype(detail["dtype"]))
        at[position] = os.path.join(folder, f"q{position}.npy")
        np.save(at[position], quantized[-1])
        given += ["--input", at[position]]
    subprocess.run([options.eval, "run", at["int8.tflite"], *given, "-o", at["out.npy"], "--progress", "none"], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    different = 0
    for position, theirs in enumerate(interpret(at["int8.tflite"], *quantized)):
        ours = np.load(at["out.npy"] if position == 0 else os.path.join(folder, f"out.{position}.npy"))
        different += int(np.sum(ours.ravel() != theirs.ravel()))
    return max(differences), different


def check_modules(options):
    counts, good = collections.Counter(), True
    with tempfile.TemporaryDirectory() as exports:
        for name, exporter, path, inputs in export_modules(exports, options.only):
            try:
                with tempfile.TemporaryDirectory() as work:
                    difference, different = check_module(path, inputs, options, work)
            except RuntimeError as error:
                refused = "cannot be imported" in str(error)
                counts["refused" if refused else "failed"] += 1
                good = good and refused
                print(f"{'refused' if refused else 'FAILED'}: {name} ({exporter}): {error}", flush=True)
                continue
            right = difference <= 1e-4 and different == 0
            counts["passed" if right else "failed"] += 1
            good = good and right
            if not right or options.only:
                print(f"{'passed' if right else 'FAILED'}: {name} ({exporter}): {difference:.1e}, {different} bytes differ", flush=True)
    print(f"modules: {counts['passed']} passed, {counts['refused']} refused, {counts['failed']} failed")
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--convert", default=os.path.join(ROOT, "build", "bin", "qat-convert"), metavar="PROGRAM", help="qat-convert to check")
    parser.add_argument("--eval", default=os.path.join(ROOT, "build", "bin", "qat-eval"), metavar="PROGRAM", help="qat-eval beside it")
    parser.add_argument("--only", metavar="PATTERN", help="tests or networks whose name matches")
    parser.add_argument("--nodes", action="store_true", help="only ONNX's node tests")
    parser.add_argument("--networks", action="store_true", help="only the networks of torchvision")
    parser.add_argument("--modules", action="store_true", help="only small modules of many kinds (scripts/onnx_modules.py)")
    parser.add_argument("--onnx2tf", metavar="PROGRAM", help="of an environment of its own: count the transposes in its models, too")
    parser.add_argument("--exports", metavar="FOLDER", help="where exports of the networks are, or are put (default: build/onnx-networks)")
    options = parser.parse_args()
    ensure_venv()
    one = options.nodes or options.networks or options.modules
    good = True
    if options.nodes or not one:
        good = check_nodes(options) and good
    if options.modules or not one:
        good = check_modules(options) and good
    if options.networks or not one:
        good = check_networks(options) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
