// readers.h: one reader for each kind of file. For .cc files of this layer.
#ifndef QAT_INSPECT_READERS_H_
#define QAT_INSPECT_READERS_H_

#include <string>

#include "base/expected.h"
#include "base/file.h"
#include "inspect/inspection.h"

namespace qat {

/// All but path, size and hash of the file.
Expected<Inspection> InspectModel(Bytes bytes, const std::string& path);
Expected<Inspection> InspectGraph(Bytes bytes, const std::string& path);
Expected<Inspection> InspectCheckpoint(Bytes bytes, const std::string& path);
Expected<Inspection> InspectOnnx(Bytes bytes, const std::string& path);
Expected<Inspection> InspectWeights(Bytes bytes, const std::string& path);

}  // namespace qat

#endif  // QAT_INSPECT_READERS_H_
