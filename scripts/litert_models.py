"""Models as tables of objects: reading, writing, repairing, and removing quantization."""
import os
import pathlib

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

NUMPY = {schema.TensorType.FLOAT32: np.float32, schema.TensorType.UINT8: np.uint8, schema.TensorType.INT8: np.int8,
         schema.TensorType.INT32: np.int32}


def read_model(path):
    data = bytearray(pathlib.Path(path).read_bytes())
    return schema.ModelT.InitFromPackedBuf(data, 0)


def write_model(model, path):
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    pathlib.Path(path).write_bytes(bytes(builder.Output()))


def repair(model):
    """Per-axis biases are vectors: an axis beyond them, as old converters wrote it, is refused by newer interpreters."""
    changed = False
    for tensor in model.subgraphs[0].tensors:
        q = tensor.quantization
        if q is not None and tensor.shape is not None and q.quantizedDimension >= max(1, len(tensor.shape)):
            q.quantizedDimension = 0
            changed = True
    return changed


def real_values(tensor, data):
    """Constant `data` of a quantized tensor as float32."""
    values = np.frombuffer(bytes(data), NUMPY[tensor.type]).reshape(tensor.shape).astype(np.float64)
    q = tensor.quantization
    shape = [1] * values.ndim
    if len(q.scale) > 1:
        shape[q.quantizedDimension] = -1
    zero = np.zeros(len(q.scale)) if q.zeroPoint is None else np.asarray(q.zeroPoint)
    return ((values - zero.reshape(shape)) * np.asarray(q.scale).reshape(shape)).astype(np.float32)


def to_float(model):
    """Removes all quantization from `model`, in place; operators that only quantize are dropped."""
    graph = model.subgraphs[0]
    for tensor in graph.tensors:
        q = tensor.quantization
        if q is None or q.scale is None or len(q.scale) == 0 or tensor.type not in NUMPY:
            continue
        data = model.buffers[tensor.buffer].data
        if data is not None and len(data) > 0:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(real_values(tensor, data).tobytes(), np.uint8)
            model.buffers.append(buffer)
            tensor.buffer = len(model.buffers) - 1
        tensor.type = schema.TensorType.FLOAT32
        tensor.quantization = None
    alias, operators = {}, []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        kind = max(code.builtinCode, code.deprecatedBuiltinCode)
        operator.inputs = np.array([alias.get(i, i) for i in operator.inputs], np.int32)
        if kind in (schema.BuiltinOperator.QUANTIZE, schema.BuiltinOperator.DEQUANTIZE):
            alias[operator.outputs[0]] = operator.inputs[0]
        else:
            operators.append(operator)
    graph.operators = operators
    graph.outputs = np.array([alias.get(i, i) for i in graph.outputs], np.int32)
    model.signatureDefs = None


def is_integer(model):
    return any(t.type in (schema.TensorType.UINT8, schema.TensorType.INT8) for t in model.subgraphs[0].tensors)


def variants(path, with_float, directory):
    """(label, path) of the models to run for one given file: the file itself and its float form."""
    model = read_model(path)
    label = pathlib.Path(path).stem
    if repair(model):
        path = os.path.join(directory, label + ".repaired.tflite")
        write_model(model, path)
    yield label, path
    if with_float and is_integer(model):
        to_float(model)
        copy = os.path.join(directory, label + ".float.tflite")
        write_model(model, copy)
        yield label + ", as float", copy


def empty_model():
    """A model that only copies one value, so that its time is that of the call."""
    graph = schema.SubGraphT()
    graph.tensors = []
    for name in ("x", "y"):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, np.array([1], np.int32), schema.TensorType.FLOAT32, 0
        graph.tensors.append(tensor)
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = np.array([0], np.int32), np.array([1], np.int32)
    operator.builtinOptionsType = schema.BuiltinOptions.ReshapeOptions
    operator.builtinOptions = schema.ReshapeOptionsT()
    operator.builtinOptions.newShape = np.array([1], np.int32)
    graph.operators, graph.inputs, graph.outputs = [operator], np.array([0], np.int32), np.array([1], np.int32)
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.RESHAPE
    code.version = 1
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], [schema.BufferT()]
    return model
