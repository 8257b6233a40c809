// weights_file.h: named tensors without a network: .safetensors, and .npz as numpy.savez writes it.
#ifndef QAT_WEIGHTS_WEIGHTS_FILE_H_
#define QAT_WEIGHTS_WEIGHTS_FILE_H_

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "base/file.h"
#include "base/shape.h"
#include "weights/element_type.h"

namespace qat {

/// A tensor of a file; its bytes are the file's: little endian, row-major, as many as type and shape say.
struct WeightTensor {
  std::string name;
  const ElementType* type = nullptr;
  Shape shape;
  std::span<const uint8_t> bytes;
};

/// A tensor to be written.
struct StoredTensor {
  std::string name;
  const ElementType* type = nullptr;
  Shape shape;
  Bytes bytes;
};

class WeightsFile {
 public:
  enum class Format { kSafetensors, kNpz };

  /// Errors: kNotFound, kCorrupt, kUnsupported: "PATH: tensor 'NAME': …"; another kind of file is named, with
  /// a way out.
  static Expected<WeightsFile> Read(const std::string& path);
  static Expected<WeightsFile> Parse(Bytes bytes, const std::string& source);

  Format format() const { return format_; }
  const std::string& source() const { return source_; }
  const std::string& sha256() const { return sha256_; }  ///< of the file
  /// In the order of an archive; those of .safetensors by name, numbers in names by their value: that format
  /// has no order.
  const std::vector<WeightTensor>& tensors() const { return tensors_; }
  /// What .safetensors says besides; empty for .npz.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  /// Errors: kUnsupported for a type that is no number; kCorrupt where a value is not finite.
  Expected<std::vector<float>> Values(size_t index) const;

 private:
  Status ParseArchive();
  std::string source_;
  std::string sha256_;
  Format format_ = Format::kSafetensors;
  std::vector<Bytes> storage_;  // moved along with the tensors that point into it
  std::vector<WeightTensor> tensors_;
  std::map<std::string, std::string> metadata_;
};

/// True for paths that end in .npz; everything else is .safetensors.
bool IsNpzName(std::string_view path);

/// The bytes of a file. Same tensors, same bytes. Requires  names that differ.
/// Errors: kUnsupported for .npz with types that NumPy has not, or tensors of 4 GiB and more.
Expected<Bytes> SerializeWeights(WeightsFile::Format format, std::span<const StoredTensor> tensors,
                                 const std::map<std::string, std::string>& metadata);

/// "layer2" before "layer10": runs of digits compare by their value.
bool NaturallyBefore(std::string_view a, std::string_view b);

}  // namespace qat

#endif  // QAT_WEIGHTS_WEIGHTS_FILE_H_
