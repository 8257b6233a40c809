// calibration.h: ranges from data, as --calibrate asks.
#ifndef QAT_TOOLS_QAT_CONVERT_CALIBRATION_H_
#define QAT_TOOLS_QAT_CONVERT_CALIBRATION_H_

#include "base/expected.h"
#include "cli/tool.h"
#include "flags.h"
#include "import/read_network.h"
#include "model_type.h"

namespace qat {

Status CalibrateAsAsked(Tool& tool, const ConvertFlags& flags, const ModelType& type, ReadNetworkResult& network,
                        Report& report);

}  // namespace qat

#endif  // QAT_TOOLS_QAT_CONVERT_CALIBRATION_H_
