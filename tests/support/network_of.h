// network_of.h: the trainable graph that a spec stands for.
#ifndef QAT_TESTS_SUPPORT_NETWORK_OF_H_
#define QAT_TESTS_SUPPORT_NETWORK_OF_H_

#include <string>

#include "spec/build_graph.h"

namespace qat::testing {

inline Graph NetworkOf(const std::string& text) {
  const auto spec = ParseNetworkSpec(text, "test.toml");
  QAT_CHECK(spec.ok());
  auto graph = BuildGraph(*spec);
  QAT_CHECK(graph.ok());
  return *std::move(graph);
}

/// Of the zoo.
inline Graph ZooNetwork(const std::string& name, const ScalingFlags& flags = {}) {
  const auto spec = LoadNetworkSpec(name, flags);
  QAT_CHECK(spec.ok());
  auto graph = BuildGraph(*spec);
  QAT_CHECK(graph.ok());
  return *std::move(graph);
}

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_NETWORK_OF_H_
