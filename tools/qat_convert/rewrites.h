// rewrites.h: what flags and plan change of the network: layers that stay in float, what is appended, the types at its borders.
#ifndef QAT_TOOLS_QAT_CONVERT_REWRITES_H_
#define QAT_TOOLS_QAT_CONVERT_REWRITES_H_

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/expected.h"
#include "cli/tool.h"
#include "flags.h"
#include "import/read_network.h"
#include "ir/graph.h"
#include "model_type.h"
#include "plan/plan_file.h"

namespace qat {

/// A network that was trained for bytes has no operators without a kernel for them; one that was not may, and 16 bits have fewer. Returns the names of
/// what was asked for.
Expected<std::vector<std::string>> KeepFloatAsAsked(const ConvertFlags& flags,
                                                    const std::optional<PlanChoices>& plan,
                                                    const ModelType& type,
                                                    Graph& graph, Report& report);

/// --int16 and the plan. Of the names the list for a plan file, and all nodes that are int16 by then. Errors: kInvalidArgument, for a
/// network of another type than int8, and a layer that is to be float too; kUnsupported, for layers without a kernel.
struct Int16Layers {
  std::vector<std::string> named;
  std::set<std::string> nodes;
};
Expected<Int16Layers> KeepInt16AsAsked(const ConvertFlags& flags, const std::optional<PlanChoices>& plan, const ModelType& type,
                                       const std::vector<std::string>& kept_float, Graph& graph);

Status AppendAsAsked(const ConvertFlags& flags, Graph& graph);

/// Real numbers come in as they are unless another type is asked for.
Status SetInputAsAsked(const ConvertFlags& flags, Graph& graph);

/// --output-type, for each output; nothing where none is asked for. Errors: kInvalidArgument.
Expected<std::vector<std::optional<DType>>> OutputTypesAsAsked(const ConvertFlags& flags, const Graph& graph);

/// The other end.
Status SetOutputAsAsked(const ConvertFlags& flags, Graph& graph);

/// --input-layout, before the long work. Errors: kInvalidArgument (another word, a network whose channels are last already).
Status CheckLayout(const ConvertFlags& flags, const ReadNetworkResult& network);

/// Channels first at the borders that had them so in the source, after all else. `graph`: made of `network`.
Status SetLayoutAsAsked(const ConvertFlags& flags, const ReadNetworkResult& network, Graph& graph);

}  // namespace qat

#endif  // QAT_TOOLS_QAT_CONVERT_REWRITES_H_
