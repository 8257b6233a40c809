#include "base/file_kind.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.h"

namespace qat {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kIdentified = {{
    {kTfliteIdentifier, "a .tflite model"},
    {kGraphIdentifier, "a frozen graph (.qgraph)"},
    {kCheckpointIdentifier, "a checkpoint"},
    {kTrainerStateIdentifier, "a trainer state"},
}};

std::string_view IdentifierOf(std::span<const uint8_t> bytes) {
  if (bytes.size() < 8) return {};
  return {reinterpret_cast<const char*>(bytes.data()) + 4, 4};
}

}  // namespace

std::string DescribeKind(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return "an empty file";
  const std::string_view identifier = IdentifierOf(bytes);
  for (const auto& [known, description] : kIdentified) {
    if (identifier == known) return std::string(description);
  }
  if (bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b) return "gzip data";
  if (bytes.size() >= 4 && bytes[0] == 0 && bytes[1] == 0 && bytes[3] >= 1 && bytes[3] <= 4) return "an IDX file";
  const auto head = bytes.first(std::min<size_t>(bytes.size(), 512));
  const bool text = std::all_of(head.begin(), head.end(), [](uint8_t b) {
    return b == '\n' || b == '\r' || b == '\t' || (b >= 0x20 && b < 0x7f);
  });
  return text ? "a text file" : "a file of unknown kind";
}

Status ExpectKind(std::span<const uint8_t> bytes, std::string_view identifier, const std::string& source) {
  if (IdentifierOf(bytes) == identifier) return {};
  for (const auto& [known, description] : kIdentified) {
    if (known == identifier) return Corrupt(StrCat(source, ": is ", DescribeKind(bytes), ", expected ", description));
  }
  return Internal(StrCat("unknown identifier '", identifier, "'"));
}

}  // namespace qat
