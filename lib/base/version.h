// version.h: the version of the toolchain, from CMakeLists.txt.
#ifndef QAT_BASE_VERSION_H_
#define QAT_BASE_VERSION_H_

namespace qat {

/// "0.1.0".
const char* Version();

}  // namespace qat

#endif  // QAT_BASE_VERSION_H_
