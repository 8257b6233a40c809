// network_keys.h: the keys of a spec before its layers.
#ifndef QAT_SPEC_NETWORK_KEYS_H_
#define QAT_SPEC_NETWORK_KEYS_H_

namespace qat {

class Refusals;
class TomlText;
struct NetworkSpec;
struct Scaling;

/// Reads name, width, divisor, resolution, classes and [input] into `spec` and `scaling`; every problem goes
/// to `refusals`.
void ParseNetworkKeys(const TomlText& text, Refusals& refusals, NetworkSpec& spec, Scaling& scaling);

}  // namespace qat

#endif  // QAT_SPEC_NETWORK_KEYS_H_
