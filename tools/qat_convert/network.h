// network.h: the network to convert: read, and compared with its source.
#ifndef QAT_TOOLS_QAT_CONVERT_NETWORK_H_
#define QAT_TOOLS_QAT_CONVERT_NETWORK_H_

#include "base/expected.h"
#include "cli/tool.h"
#include "flags.h"
#include "import/read_network.h"

namespace qat {

Expected<ReadNetworkResult> ReadGraphOrModel(const ConvertFlags& flags);

/// --verify: on the network as it was read, before anything is quantized.
Status VerifyAsAsked(Tool& tool, const ConvertFlags& flags, const ReadNetworkResult& network, Report& report);

/// Of long work that the user has ended.
Error InterruptedHere();

}  // namespace qat

#endif  // QAT_TOOLS_QAT_CONVERT_NETWORK_H_
