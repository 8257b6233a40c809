// png.h: small pictures inside a page or a document: raw pixels as PNG, bytes as base64.
#ifndef QAT_BASE_PNG_H_
#define QAT_BASE_PNG_H_

#include <cstdint>
#include <span>
#include <string>

#include "base/file.h"

namespace qat {

/// A PNG of pixels [height, width, channels], 8 bits each: 1 channel grey, 3 RGB. Requires one of those.
/// Source    W3C, Portable Network Graphics (Third Edition).
Bytes EncodePng(int32_t height, int32_t width, int32_t channels, std::span<const uint8_t> pixels);

/// RFC 4648, with padding.
std::string Base64(std::span<const uint8_t> bytes);

}  // namespace qat

#endif  // QAT_BASE_PNG_H_
