// parse.h: specs in tests: a network on 8x8x3 images, given its layers.
#ifndef QAT_TESTS_SPEC_PARSE_H_
#define QAT_TESTS_SPEC_PARSE_H_

#include <string>

#include "spec/network_spec.h"

namespace qat::testing {

/// `layers` starts at line 6 of net.toml.
inline Expected<NetworkSpec> ParseLayersOfNet(const std::string& layers) {
  return ParseNetworkSpec("name = \"net\"\n[input]\nheight = 8\nwidth = 8\nchannels = 3\n" + layers,
                          "net.toml");
}

/// A [[layer]] block of three lines and those of `keys`, which ends them all with a line feed.
inline std::string Layer(const std::string& name, const std::string& op, const std::string& keys = "") {
  return "[[layer]]\nname = \"" + name + "\"\nop = \"" + op + "\"\n" + keys;
}

}  // namespace qat::testing

#endif  // QAT_TESTS_SPEC_PARSE_H_
