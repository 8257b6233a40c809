#include "cli/output_name.h"

#include <algorithm>
#include <filesystem>

#include "base/strings.h"

namespace qat {
namespace {

struct KnownEnding {
  std::string_view ending;
  std::string_view format;
};

// Of our outputs, of other frameworks, and what people have at hand beside them.
constexpr KnownEnding kKnown[] = {
    {".tflite", "a TFLite model"},
    {".qgraph", "a frozen graph"},
    {".ckpt", "a checkpoint"},
    {".json", "JSON"},
    {".html", "an HTML page"},
    {".htm", "an HTML page"},
    {".csv", "CSV"},
    {".xml", "XML"},
    {".md", "Markdown"},
    {".toml", "TOML"},
    {".npy", "a NumPy array"},
    {".npz", "NumPy arrays"},
    {".onnx", "an ONNX model"},
    {".h5", "an HDF5 file"},
    {".hdf5", "an HDF5 file"},
    {".keras", "a Keras model"},
    {".pb", "a TensorFlow graph"},
    {".pbtxt", "a TensorFlow graph"},
    {".pt", "a PyTorch file"},
    {".pth", "a PyTorch file"},
    {".safetensors", "a safetensors file"},
    {".mlmodel", "a Core ML model"},
    {".mlpackage", "a Core ML model"},
    {".c", "C source"},
    {".cc", "C++ source"},
    {".cpp", "C++ source"},
    {".cxx", "C++ source"},
    {".h", "a C header"},
    {".hh", "a C++ header"},
    {".hpp", "a C++ header"},
    {".py", "Python source"},
    {".pdf", "a PDF document"},
    {".png", "a picture"},
    {".jpg", "a picture"},
    {".jpeg", "a picture"},
    {".svg", "a picture"},
    {".zip", "a zip archive"},
    {".tar", "a tar archive"},
    {".gz", "gzip data"},
    {".xz", "xz data"},
};

}  // namespace

Status CheckOutputName(const OutputFormat& format, const std::string& path) {
  const std::string ending = LowerCase(std::filesystem::path(path).extension().string());
  const auto known = std::find_if(std::begin(kKnown), std::end(kKnown),
                                  [&](const KnownEnding& one) { return one.ending == ending; });
  if (known == std::end(kKnown)) return {};
  if (std::find(format.endings.begin(), format.endings.end(), ending) != format.endings.end()) return {};
  return InvalidArgument(StrCat(format.flag, ": ", path, ": the name says ", known->format, ", but ",
                                format.what, " is written; choose a name ",
                                format.endings.empty() ? "without that ending" : "that ends in ",
                                format.endings.empty() ? "" : format.endings.front()));
}

}  // namespace qat
