#include "base/version.h"

namespace qat {

const char* Version() { return QAT_VERSION; }

}  // namespace qat
