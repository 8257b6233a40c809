// envelope.h: the header that our own files share: it distinguishes damage, another kind of file and a newer
// version before any of the content is read.
#ifndef QAT_BASE_ENVELOPE_H_
#define QAT_BASE_ENVELOPE_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/expected.h"
#include "base/file.h"

namespace qat {

/// Bytes of the header; a multiple of 16, so that the payload keeps its alignment.
inline constexpr size_t kEnvelopeSize = 80;

/// Puts the header in front of a payload:
///   0  uint32  format version, little endian
///   4  char4   identifier (base/file_kind.h)
///   8  uint64  size of the payload
///   16 char64  SHA-256 of the payload, hexadecimal as sha256sum prints it
///   80         payload
/// Requires  an identifier of four characters.
Bytes SealEnvelope(std::string_view identifier, uint32_t version, std::span<const uint8_t> payload);

/// Checks the header and returns the payload, a view into `bytes`. Errors, all starting with "SOURCE: ":
/// kCorrupt (another kind of file, cut short, changed), kUnsupported (a version newer than `version`, both
/// numbers named).
Expected<std::span<const uint8_t>> OpenEnvelope(std::span<const uint8_t> bytes, std::string_view identifier,
                                                uint32_t version, const std::string& source);

}  // namespace qat

#endif  // QAT_BASE_ENVELOPE_H_
