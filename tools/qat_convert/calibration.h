// calibration.h: ranges from data and repairs by it, as --calibrate, --observer and --repair ask.
#ifndef QAT_TOOLS_QAT_CONVERT_CALIBRATION_H_
#define QAT_TOOLS_QAT_CONVERT_CALIBRATION_H_

#include <optional>

#include "base/expected.h"
#include "calibrate/calibrate.h"
#include "cli/tool.h"
#include "convert/conversion.h"
#include "data/dataset.h"
#include "flags.h"
#include "import/read_network.h"
#include "model_type.h"

namespace qat {

/// Before any work. `type`: as flags say. Errors: kInvalidArgument.
Status CheckCalibration(const ConvertFlags& flags, const std::optional<ModelType>& type);

/// The data of --calibrate; nothing without the flag. Bytes that were only assumed become reals where the
/// data has them.
Expected<std::optional<Dataset>> OpenCalibration(Tool& tool, const ConvertFlags& flags,
                                                 ReadNetworkResult& network, Report& report);

/// Whether --observer is auto: what is best on examples held out, yet to be found.
bool ChoosesObserver(const ConvertFlags& flags);

/// --observer. Errors: kInvalidArgument.
Expected<ObserverChoice> ParseObservers(const ConvertFlags& flags);

/// --repair. `type`: as flags say. Errors: kInvalidArgument.
Expected<AskedRepairs> ParseRepairs(const ConvertFlags& flags, const std::optional<ModelType>& type);

}  // namespace qat

#endif  // QAT_TOOLS_QAT_CONVERT_CALIBRATION_H_
