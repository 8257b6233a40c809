// record_file.h: TFRecord framing, the outer format of TensorBoard's event files.
#ifndef QAT_TRAIN_EVENTS_RECORD_FILE_H_
#define QAT_TRAIN_EVENTS_RECORD_FILE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/file.h"

namespace qat {

/// CRC-32C: reflected polynomial 0x82f63b78, all ones before and after.
/// Source    RFC 3720, appendix B.4.
uint32_t Crc32c(std::span<const uint8_t> bytes);

/// The form in which TFRecord stores it, rotated right by 15 plus 0xa282ead8: a checksum of bytes that hold
/// their own checksum would be weak.
uint32_t MaskedCrc32c(std::span<const uint8_t> bytes);

/// Appends one record: uint64 length, masked CRC of those 8 bytes, payload, masked CRC of the payload;
/// little-endian.
void AppendRecord(Bytes& out, std::span<const uint8_t> payload);

/// The payload of the record at `offset`, which then moves past it. Nothing at the end, and nothing for a
/// record that is cut or damaged, as a killed writer leaves one; `offset` stays then.
std::optional<std::span<const uint8_t>> NextRecord(std::span<const uint8_t> file, size_t& offset);

}  // namespace qat

#endif  // QAT_TRAIN_EVENTS_RECORD_FILE_H_
