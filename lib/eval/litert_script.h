// litert_script.h: the Python half of litert.h, kept apart because it is text and not logic.
#ifndef QAT_EVAL_LITERT_SCRIPT_H_
#define QAT_EVAL_LITERT_SCRIPT_H_

namespace qat {

/// python -I -c SCRIPT. Standard input is a socket for both directions; the model comes first, as eight bytes
/// of length, a byte (1: with the reference kernels, 0: with the others, without delegates), and its bytes.
/// The child greets with a line that says what it is and one that names an operator that the reference
/// kernels lack, so that the others answer, or is empty; then it answers each request with one frame: a byte
/// (0 done, 1 failed, 2 no TFLite here), eight bytes of length, the payload; all little endian. Failed: the
/// payload is a sentence. Requests:
///   'P' count u32, count times all inputs, one after the other: run each alone; all outputs of each,
///   concatenated;
///   'T' count u32, count tensor indices i32, one time all inputs: each tensor as u64 length and bytes
///   (length 0: not kept).
inline constexpr char kLitertScript[] = R"python(
import importlib, importlib.metadata, os, re, struct, sys
sys.path[:] = [folder for folder in sys.path if os.path.isabs(folder)]
channel = os.dup(0)

def receive(size):
    parts = []
    while size:
        part = os.read(channel, min(size, 1 << 20))
        if not part:
            os._exit(0)
        parts.append(part)
        size -= len(part)
    return b"".join(parts)

def answer(status, payload):
    view = memoryview(struct.pack("<BQ", status, len(payload)) + payload)
    while view:
        view = view[os.write(channel, view):]

def find():
    for module, package in (("ai_edge_litert.interpreter", "ai-edge-litert"),
                            ("tflite_runtime.interpreter", "tflite-runtime"),
                            ("tensorflow.lite.python.interpreter", "tensorflow")):
        try:
            return importlib.import_module(module), package + " " + importlib.metadata.version(package)
        except Exception:
            continue
    answer(2, b"")
    os._exit(0)

def make(tflite, model, reference, keep):
    kernels = tflite.OpResolverType.BUILTIN_REF if reference else tflite.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = tflite.Interpreter(model_content=model, num_threads=1, experimental_preserve_all_tensors=keep,
                                     experimental_op_resolver_type=kernels)
    for source in interpreter.get_input_details():
        if -1 in source["shape_signature"]:
            interpreter.resize_tensor_input(source["index"], [1 if size == -1 else size for size in source["shape_signature"]])
    interpreter.allocate_tensors()
    return interpreter

def run(interpreter, data):
    import numpy
    for source in interpreter.get_input_details():
        size = interpreter.get_tensor(source["index"]).nbytes
        interpreter.set_tensor(source["index"], numpy.frombuffer(data[:size], source["dtype"]).reshape(source["shape"]))
        data = data[size:]
    interpreter.invoke()

def predict(state, count):
    outputs = []
    for _ in range(count):
        run(state["fast"], receive(state["size"]))
        for target in state["fast"].get_output_details():
            outputs.append(state["fast"].get_tensor(target["index"]).tobytes())
    return b"".join(outputs)

def tensors(state, count):
    indices = struct.unpack("<%di" % count, receive(4 * count))
    data = receive(state["size"])
    if "keeping" not in state:
        state["keeping"] = make(state["tflite"], state["model"], state["reference"], True)
    run(state["keeping"], data)
    parts = []
    for index in indices:
        try:
            values = state["keeping"].get_tensor(index).tobytes()
        except ValueError:
            values = b""
        parts.append(struct.pack("<Q", len(values)) + values)
    return b"".join(parts)

def main():
    size, reference = struct.unpack("<QB", receive(9))
    model = receive(size)
    tflite, version = find()
    lacking = ""
    try:
        try:
            first = make(tflite, model, reference, False)
        except Exception as error:
            unknown = re.search("builtin opcode '([A-Z0-9_]+)'", str(error))
            if not reference or unknown is None:
                raise
            reference, lacking = 0, unknown.group(1)
            first = make(tflite, model, reference, False)
        state = {"tflite": tflite, "model": model, "reference": reference, "fast": first}
        sources = state["fast"].get_input_details()
        state["size"] = sum(state["fast"].get_tensor(source["index"]).nbytes for source in sources)
        answer(0, (version + "\n" + lacking).encode())
        while True:
            command, count = struct.unpack("<cI", receive(5))
            answer(0, predict(state, count) if command == b"P" else tensors(state, count))
    except Exception as error:
        answer(1, " ".join(str(error).split()).encode())

main()
)python";

}  // namespace qat

#endif  // QAT_EVAL_LITERT_SCRIPT_H_
