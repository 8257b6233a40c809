// read_network.h: a network to convert, out of a file of ours or of others.
#ifndef QAT_IMPORT_READ_NETWORK_H_
#define QAT_IMPORT_READ_NETWORK_H_

#include <string>
#include <vector>

#include "base/expected.h"
#include "import/import_tflite.h"
#include "ir/graph.h"

namespace qat {

struct ReadNetworkResult {
  Graph graph;
  bool imported = false;  ///< a model of others, or one of ours that was converted already
  bool assumed_bytes = false;  ///< nobody says what the values of its one input are: bytes as they are is a guess
};

/// A .qgraph as it is, with "graph_sha256" in its provenance; a .tflite by ImportTflite. Errors: those of both, and kCorrupt for
/// other kinds of files.
Expected<ReadNetworkResult> ReadNetwork(const std::string& path, const TfliteImportOptions& options,
                                        std::vector<std::string>& notes);

}  // namespace qat

#endif  // QAT_IMPORT_READ_NETWORK_H_
