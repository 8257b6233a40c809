#include "tflite/model_source.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include "base/strings.h"

namespace qat {
namespace {

bool EndsInOneOf(const std::string& path, std::span<const std::string_view> endings) {
  const std::string ending = std::filesystem::path(path).extension();
  return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

bool IsHeader(const std::string& path) {
  static constexpr std::array<std::string_view, 3> kEndings = {".h", ".hh", ".hpp"};
  return EndsInOneOf(path, kEndings);
}

// "dir/lenet-5.cc" -> "lenet_5".
std::string NameFor(const std::string& path) {
  std::string name = std::filesystem::path(path).stem();
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  const bool starts_well = !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0;
  return starts_well ? name : "model_" + name;
}

std::string BytesText(std::span<const uint8_t> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  constexpr size_t kPerLine = 16;
  std::string text;
  text.reserve(bytes.size() * 6);
  for (size_t i = 0; i < bytes.size(); ++i) {
    text += i % kPerLine == 0 ? "\n  " : " ";
    text += {'0', 'x', kDigits[bytes[i] >> 4], kDigits[bytes[i] & 15], ','};
  }
  return text;
}

}  // namespace

bool IsCSource(const std::string& path) {
  static constexpr std::array<std::string_view, 4> kEndings = {".c", ".cc", ".cpp", ".cxx"};
  return IsHeader(path) || EndsInOneOf(path, kEndings);
}

std::string ModelSource(std::span<const uint8_t> bytes, const std::string& path) {
  const std::string name = NameFor(path);
  const bool header = IsHeader(path);
  const std::string storage = header ? "static " : "";
  std::string text = StrCat("// A TensorFlow Lite model of ", bytes.size(), " bytes, made by qat-convert.\n",
                            header ? "#pragma once\n" : "",
                            "#ifdef __cplusplus\n#define QAT_ALIGNED alignas(16)\n#else\n"
                            "#define QAT_ALIGNED _Alignas(16)\n#endif\n");
  // A constant of C++ is local to its source unless it was declared before.
  if (!header)
    text += StrCat("extern const unsigned char ", name, "[];\nextern const unsigned int ", name, "_len;\n");
  text += StrCat("QAT_ALIGNED ", storage, "const unsigned char ", name, "[] = {", BytesText(bytes), "\n};\n",
                 storage, "const unsigned int ", name, "_len = ", bytes.size(), ";\n#undef QAT_ALIGNED\n");
  return text;
}

}  // namespace qat
