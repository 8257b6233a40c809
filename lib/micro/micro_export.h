// micro_export.h: a model as C sources for TensorFlow Lite for Microcontrollers, with everything that an
// application needs around it.
#ifndef QAT_MICRO_MICRO_EXPORT_H_
#define QAT_MICRO_MICRO_EXPORT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "base/expected.h"
#include "base/file.h"
#include "contract/contract.h"

namespace qat {

struct MicroFile {
  std::string name;
  std::string text;
};

/// Of all files of an export.
inline constexpr const char* kMicroFileNames[] = {"model_data.h", "model_data.c",   "model_ops.h",
                                                  "model_io.h",   "model_golden.h", "main.cc"};

struct MicroExport {
  std::vector<MicroFile> files;
  size_t arena = 0;       ///< bytes
  size_t operators = 0;   ///< kinds, which the resolver has to know
  uint32_t checksum = 0;  ///< of the golden outputs
};

/// model_data.h, model_data.c   the bytes, aligned and const, their number, and the size of the arena
/// model_ops.h                  the calls that tell the resolver about the operators
/// model_io.h                   C: bytes or real numbers to the input tensors, output tensors to real numbers
/// model_golden.h               raw inputs and what TFLite Micro's arithmetic makes of them, with a checksum
/// main.cc                      runs them and says "PASS"
/// The same model gives the same files.
/// Requires  a model that ExpectTarget lets pass for kTfliteMicro, and its contract. Errors: those of the
/// interpreter; kUnsupported (inputs of other types than float32, uint8, int8 and int16).
Expected<MicroExport> ExportMicro(const Bytes& model, const std::string& name, const Contract& contract);

}  // namespace qat

#endif  // QAT_MICRO_MICRO_EXPORT_H_
