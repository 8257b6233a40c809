// containers.h: what encloses the content of files: envelopes, archives, chunks and compressed streams, made
// right again after a mutation, so that it reaches the reader behind the checksum.
#ifndef QAT_TESTS_FUZZ_CONTAINERS_H_
#define QAT_TESTS_FUZZ_CONTAINERS_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/file.h"

namespace qat::fuzz {

/// Size and SHA-256 in the header of base/envelope.h, of an envelope inside, too.
void MendEnvelope(Bytes& bytes);

/// The envelope inside the content of another one, the graph in a checkpoint; empty: there is none.
std::span<uint8_t> InnerEnvelope(std::span<uint8_t> bytes);

/// CRC-32 and sizes of every entry of a ZIP archive, in its directory and before the content.
void MendZip(Bytes& bytes);

struct PngChunk {
  std::array<uint8_t, 4> type = {};
  Bytes content;
};

/// The chunks behind the signature, as far as they can be read.
std::vector<PngChunk> ReadPngChunks(std::span<const uint8_t> bytes);
/// With the signature and every checksum.
Bytes WritePng(std::span<const PngChunk> chunks);

/// zlib's format, or gzip's.
enum class Stream { kZlib, kGzip, kRaw };
Bytes Compress(std::span<const uint8_t> bytes, Stream stream);
/// At most 1 MiB of the content, as far as it can be read.
Bytes Uncompress(std::span<const uint8_t> bytes, Stream stream);

}  // namespace qat::fuzz

#endif  // QAT_TESTS_FUZZ_CONTAINERS_H_
