#include "support/places.h"

namespace qat::testing {

const char* const kSourceDir = QAT_SOURCE_DIR;
const char* const kBinaryDir = QAT_BINARY_DIR;
const char* const kLitertPython = QAT_LITERT_PYTHON;
const char* const kTestDataDefault = QAT_TEST_DATA_DEFAULT;

}  // namespace qat::testing
