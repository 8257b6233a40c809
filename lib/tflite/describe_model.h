// describe_model.h: what TFLite's standard metadata say of a graph, made from its input contract.
#ifndef QAT_TFLITE_DESCRIBE_MODEL_H_
#define QAT_TFLITE_DESCRIBE_MODEL_H_

#include <string>
#include <vector>

#include "contract/model_description.h"
#include "ir/graph.h"

namespace qat {

/// Inputs: colours (of one or three channels), mean and std in byte units (one number where it serves all channels), the
/// values that the tensor takes in its type. Outputs: the label file, where the contract names classes and the output
/// has one score a class or holds indices. `names` [tensors] are those in the file.
ModelDescription DescribeModel(const Graph& graph, const std::vector<std::string>& names);

}  // namespace qat

#endif  // QAT_TFLITE_DESCRIBE_MODEL_H_
