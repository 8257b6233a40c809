// output_name.h: names of outputs that say another format than the one that is written.
#ifndef QAT_CLI_OUTPUT_NAME_H_
#define QAT_CLI_OUTPUT_NAME_H_

#include <span>
#include <string>
#include <string_view>

#include "base/expected.h"

namespace qat {

/// What a flag writes: "--html" writes "an HTML page", whose names end in .html or .htm. The first ending is
/// the one advised; none: a folder.
struct OutputFormat {
  std::string_view flag;
  std::string_view what;
  std::span<const std::string_view> endings;
};

/// Refuses a path whose ending is that of a known format other than what is written: model.onnx for a .tflite
/// model. Endings that say nothing (model.bin, model, "-") pass. Errors: kInvalidArgument, with the way out.
Status CheckOutputName(const OutputFormat& format, const std::string& path);

}  // namespace qat

#endif  // QAT_CLI_OUTPUT_NAME_H_
