"""Reads a model's standard metadata by other means, for describe_model_test.cc: tables by field number with the
FlatBuffers library, the label file with zipfile, the model with TFLite's own interpreter.

Prints what it finds, one line each. The field numbers are those of TFLite's metadata_schema.fbs, counted from 0.
"""

import sys
import zipfile

import flatbuffers
from ai_edge_litert.interpreter import Interpreter
from flatbuffers import number_types as types
from flatbuffers.table import Table


def vtable(field):
    return 4 + 2 * field


def child(table, field):
    """The table, vector or string that a field points to."""
    at = table.Offset(vtable(field))
    return None if at == 0 else table.Indirect(table.Pos + at)


def table_at(table, field):
    position = child(table, field)
    return None if position is None else Table(table.Bytes, position)


def text(table, field):
    at = table.Offset(vtable(field))
    return "" if at == 0 else table.String(table.Pos + at).decode()


def byte(table, field):
    at = table.Offset(vtable(field))
    return 0 if at == 0 else table.Get(types.Int8Flags, table.Pos + at)


def tables(table, field):
    at = table.Offset(vtable(field))
    if at == 0:
        return []
    start = table.Vector(at)
    return [Table(table.Bytes, table.Indirect(start + 4 * i)) for i in range(table.VectorLen(at))]


def floats(table, field):
    at = table.Offset(vtable(field))
    if at == 0:
        return []
    start = table.Vector(at)
    return [table.Get(types.Float32Flags, start + 4 * i) for i in range(table.VectorLen(at))]


def root(data):
    return Table(data, flatbuffers.encode.Get(flatbuffers.packer.uoffset, data, 0))


def description_bytes(data):
    model = root(data)
    buffers = tables(model, 4)
    for entry in tables(model, 6):
        if text(entry, 0) != "TFLITE_METADATA":
            continue
        at = entry.Offset(vtable(1))
        buffer = buffers[entry.Get(types.Uint32Flags, entry.Pos + at)]
        at = buffer.Offset(vtable(0))
        start = buffer.Vector(at)
        return data[start : start + buffer.VectorLen(at)]
    sys.exit("no metadata TFLITE_METADATA")


def print_tensor(what, tensor):
    print(f"{what}: {text(tensor, 0)}")
    content = table_at(tensor, 3)
    if content is not None:
        print(f"  content {byte(content, 0)} colours {byte(table_at(content, 1), 0)}")
    for unit in tables(tensor, 4):
        options = table_at(unit, 1)
        print(f"  process unit {byte(unit, 0)} mean {floats(options, 0)} std {floats(options, 1)}")
    stats = table_at(tensor, 5)
    if stats is not None:
        print(f"  max {floats(stats, 0)} min {floats(stats, 1)}")
    for file in tables(tensor, 6):
        print(f"  file {text(file, 0)} type {byte(file, 2)}")


def main(path):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    metadata = description_bytes(data)
    print("identifier", bytes(metadata[4:8]).decode())
    model = root(metadata)
    print("name", text(model, 0))
    print("parser", text(model, 7))
    (subgraph,) = tables(model, 3)
    for tensor in tables(subgraph, 2):
        print_tensor("input", tensor)
    for tensor in tables(subgraph, 3):
        print_tensor("output", tensor)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            print("damaged", archive.testzip())
            for entry in archive.infolist():
                print(f"entry {entry.filename} method {entry.compress_type} date {entry.date_time}")
                print(archive.read(entry).decode().splitlines())
    interpreter = Interpreter(model_path=path)
    interpreter.allocate_tensors()
    print("runs", [tensor["dtype"].__name__ for tensor in interpreter.get_input_details()])


main(sys.argv[1])
