// request.h: what is asked of a conversion besides the type of the model, as text that a file can hold.
#ifndef QAT_CONVERT_REQUEST_H_
#define QAT_CONVERT_REQUEST_H_

#include <cstdint>
#include <string>
#include <vector>

namespace qat {

/// Fields are those of qat-convert's flags, and have their defaults. Whatever is added here and changes a
/// model has to be recorded (record.h).
struct ConversionRequest {
  std::string append = "none";
  std::string argmax_type = "int32";
  std::string keep_float, int16;                   ///< regular expressions of whole names
  std::string fully_connected_scales = "channel";  ///< of filters with one scale per channel; or "tensor"
  std::string input_type, output_type;
  std::string input_layout = "nhwc";
  std::vector<std::string> skipped_passes;
  int64_t calibration_limit = 500;
};

}  // namespace qat

#endif  // QAT_CONVERT_REQUEST_H_
