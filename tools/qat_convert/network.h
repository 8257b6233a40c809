// network.h: the network to convert: read, and compared with its source.
#ifndef QAT_TOOLS_QAT_CONVERT_NETWORK_H_
#define QAT_TOOLS_QAT_CONVERT_NETWORK_H_

#include <optional>

#include "base/expected.h"
#include "cli/tool.h"
#include "flags.h"
#include "import/read_network.h"

namespace qat {

Expected<ReadNetworkResult> ReadGraphOrModel(const ConvertFlags& flags);

/// Only the types at the borders are asked for, of a .tflite that computes with integers or stores weights in
/// fewer bits than float32: they are changed, and nothing inside is.
bool ChangesBordersOnly(const ConvertFlags& flags);

/// That model as it is; nothing where its weights are float32 or the file is another one.
Expected<std::optional<Graph>> ReadFinishedModel(const ConvertFlags& flags);

/// --verify: on the network as it was read, before anything is quantized.
Status VerifyAsAsked(Tool& tool, const ConvertFlags& flags, const ReadNetworkResult& network, Report& report);

}  // namespace qat

#endif  // QAT_TOOLS_QAT_CONVERT_NETWORK_H_
