#include "data/picture_values.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <variant>

#include "base/input_file.h"
#include "data/image.h"

namespace qat {
namespace {

Bytes StoredReals(std::span<const float> reals) {
  Bytes bytes(reals.size_bytes());
  if (!reals.empty()) std::memcpy(bytes.data(), reals.data(), bytes.size());
  return bytes;
}

Bytes RealsOf(const DeepImage& image, const PictureForm& form) {
  RealImage fitted = FitDeepImage(image, form.height, form.width, form.fit);
  if (form.white == kWhiteOfBytes) {
    for (float& value : fitted.pixels) value /= 257;
  }
  return StoredReals(fitted.pixels);
}

Bytes RealsOf(Image image, const PictureForm& form) {
  if (form.white == kWhiteOfDeep) return RealsOf(Widened(image), form);
  const Bytes fitted = FitImage(std::move(image), form.height, form.width, form.fit).pixels;
  return StoredReals(std::vector<float>(fitted.begin(), fitted.end()));
}

Bytes BytesOf(Image image, const PictureForm& form) {
  return FitImage(std::move(image), form.height, form.width, form.fit).pixels;
}

Bytes BytesOf(const DeepImage& image, const PictureForm& form) { return BytesOf(Reduced(image), form); }

}  // namespace

Expected<PictureValues> ReadPictureValues(const std::string& path, const PictureForm& form) {
  QAT_ASSIGN_OR_RETURN(const Bytes file, ReadFile(path));
  QAT_ASSIGN_OR_RETURN(AnyImage image, DecodeAnyImage(file, path, form.channels));
  PictureValues result;
  std::visit([&](const auto& own) { result.height = own.height, result.width = own.width; }, image);
  if (const auto* deep = std::get_if<DeepImage>(&image))
    result.highest = *std::max_element(deep->pixels.begin(), deep->pixels.end());
  result.values = std::visit(
      [&](auto& own) {
        return form.values == ValueType::kReal ? RealsOf(std::move(own), form)
                                               : BytesOf(std::move(own), form);
      },
      image);
  return result;
}

bool IsDeepFile(const std::string& path) {
  auto file = InputFile::Open(path);
  if (!file.ok()) return false;
  std::array<uint8_t, kPictureHeader> head;
  const auto size = file->Read(head);
  return size.ok() && IsDeepPicture(std::span(head).first(*size));
}

}  // namespace qat
