// describe_model.h: what TFLite's standard metadata say of a graph, made from its input contract.
#ifndef QAT_TFLITE_DESCRIBE_MODEL_H_
#define QAT_TFLITE_DESCRIBE_MODEL_H_

#include "contract/model_description.h"
#include "ir/graph.h"

namespace qat {

/// Inputs: colours (of one or three channels), mean and std in byte units (one number where it serves all
/// channels), the real values that the tensor takes if it is float32. Outputs: the label file, where the
/// contract names classes and the output has one score a class or holds indices. What the model itself
/// says is not said again: names.
ModelDescription DescribeModel(const Graph& graph);

}  // namespace qat

#endif  // QAT_TFLITE_DESCRIBE_MODEL_H_
