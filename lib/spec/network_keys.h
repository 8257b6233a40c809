// network_keys.h: the keys of a spec that stand before its layers.
#ifndef QAT_SPEC_NETWORK_KEYS_H_
#define QAT_SPEC_NETWORK_KEYS_H_

#include "spec/network_spec.h"
#include "spec/refusals.h"
#include "spec/scaling.h"

namespace qat {

/// Reads name, width, divisor, resolution, classes and [input] into `spec` and `scaling`; every problem goes to `refusals`.
void ParseNetworkKeys(const toml::table& root, Refusals& refusals, NetworkSpec& spec, Scaling& scaling);

}  // namespace qat

#endif  // QAT_SPEC_NETWORK_KEYS_H_
