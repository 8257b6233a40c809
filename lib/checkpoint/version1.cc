#include "checkpoint/version1.h"

#include "spec/build_graph.h"

namespace qat {

Expected<Graph> NetworkOfVersion1(const std::string& text, const std::string& source) {
  const auto spec = ParseNetworkSpec(text, source);
  if (!spec.ok()) return Corrupt(spec.error().message);
  return BuildGraph(*spec);
}

}  // namespace qat
