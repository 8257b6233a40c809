"""Prints every scalar that TensorBoard itself finds in a directory of event files: "tag step value" a line.

usage: read_with_tensorboard.py DIRECTORY; exit 77: the package tensorboard is not installed.
"""

import sys

try:
    from tensorboard.backend.event_processing import event_accumulator
    from tensorboard.util import tensor_util
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(77)

accumulator = event_accumulator.EventAccumulator(sys.argv[1], size_guidance={"tensors": 0, "scalars": 0})
accumulator.Reload()
for tag in sorted(accumulator.Tags()["scalars"]):
    for point in accumulator.Scalars(tag):
        print(tag, point.step, repr(float(point.value)))
for tag in sorted(accumulator.Tags()["tensors"]):
    for point in accumulator.Tensors(tag):
        print(tag, point.step, repr(float(tensor_util.make_ndarray(point.tensor_proto))))
