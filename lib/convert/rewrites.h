// rewrites.h: what a request and a plan change of the network: layers that stay in float, what is appended,
// the types at its borders.
#ifndef QAT_CONVERT_REWRITES_H_
#define QAT_CONVERT_REWRITES_H_

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/expected.h"
#include "convert/conversion.h"
#include "ir/graph.h"

namespace qat {

/// A network that was trained for bytes has no operators without a kernel for them; one that was not may, and
/// 16 bits have fewer. Returns the names of what was asked for.
Expected<std::vector<std::string>> KeepFloatAsAsked(Conversion& conversion);

/// `int16` and the plan. Of the names the list for a plan file, and all nodes that are int16 by then. Errors:
/// kInvalidArgument, for a network of another type than int8, and a layer that is to be float too;
/// kUnsupported, for layers without a kernel.
struct Int16Layers {
  std::vector<std::string> named;
  std::set<std::string> nodes;
};
Expected<Int16Layers> KeepInt16AsAsked(Conversion& conversion);

Status AppendAsAsked(const ConversionRequest& request, Graph& graph);

/// Real numbers come in as they are unless another type is asked for.
Status SetInputAsAsked(const ConversionRequest& request, Graph& graph);

/// `output_type`, for each output; nothing where none is asked for. Errors: kInvalidArgument.
Expected<std::vector<std::optional<DType>>> OutputTypesAsAsked(const ConversionRequest& request,
                                                               const Graph& graph);

/// The other end.
Status SetOutputAsAsked(const ConversionRequest& request, Graph& graph);

/// Channels first at the borders that had them so in the source, after all else. `graph`: the one of the
/// conversion, or its twin.
Status SetLayoutAsAsked(const Conversion& conversion, Graph& graph);

}  // namespace qat

#endif  // QAT_CONVERT_REWRITES_H_
