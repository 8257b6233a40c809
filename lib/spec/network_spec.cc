#include "spec/network_spec.h"

#include <algorithm>

#include "base/file.h"
#include "base/file_kind.h"
#include "base/strings.h"
#include "spec/embedded.h"
#include "spec/rewrite.h"
#include "spec/spec_parser.h"
#include "spec/train_config.h"

namespace qat {
namespace {

const EmbeddedFile* FindZoo(std::string_view name) {
  for (const EmbeddedFile& file : EmbeddedFiles()) {
    if (file.folder == "zoo" && file.name == name) return &file;
  }
  return nullptr;
}

}  // namespace

Expected<NetworkSpec> ParseNetworkSpec(std::string_view text, const std::string& source) {
  QAT_ASSIGN_OR_RETURN(NetworkSpec spec, ParseLayers(text, source));
  QAT_RETURN_IF_ERROR(Rewrite(spec, source));
  spec.text = std::string(text);
  return spec;
}

Expected<NetworkSpec> LoadNetworkSpec(const std::string& name_or_path, const ScalingFlags& flags) {
  const auto parse = [&](std::string text, const std::string& source) -> Expected<NetworkSpec> {
    QAT_ASSIGN_OR_RETURN(text, WithScaling(std::move(text), source, flags));
    return ParseNetworkSpec(text, source);
  };
  if (const EmbeddedFile* file = FindZoo(name_or_path)) {
    return parse(std::string(file->text), StrCat(name_or_path, ".toml"));
  }
  const bool looks_like_path = name_or_path.find('/') != std::string::npos || name_or_path.ends_with(".toml");
  if (!looks_like_path && !FileExists(name_or_path)) {
    const std::string expected =
        StrCat(" (expected auto, one of ", Join(ZooNames()), ", or the path of a spec file)");
    constexpr std::string_view kOfAuto[] = {"perceptron", "signal", "residual", "pixels", "autoencoder"};
    if (std::find(std::begin(kOfAuto), std::end(kOfAuto), name_or_path) != std::end(kOfAuto)) {
      return InvalidArgument(
          StrCat("network '", name_or_path,
                 "' is made to the sizes of the data: `network` auto, the default, takes it where it "
                 "fits, and `print_network` shows it",
                 expected));
    }
    if (const std::vector<std::string> presets = PresetNames();
        std::find(presets.begin(), presets.end(), name_or_path) != presets.end())
      return InvalidArgument(StrCat("network '", name_or_path, "' is a recipe: `preset` ", name_or_path,
                                    " takes it with its network", expected));
    return InvalidArgument(StrCat(UnknownName("network", name_or_path, ZooNames()), expected));
  }
  QAT_ASSIGN_OR_RETURN(std::string text, ReadTextFile(name_or_path));
  QAT_RETURN_IF_ERROR(ExpectText({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, name_or_path,
                                 "a network as text (TOML), an .onnx or a .tflite"));
  return parse(std::move(text), name_or_path);
}

std::vector<std::string> ZooNames() {
  std::vector<std::string> names;
  for (const EmbeddedFile& file : EmbeddedFiles()) {
    if (file.folder == "zoo") names.emplace_back(file.name);
  }
  return names;
}

std::vector<ParameterSpec> TrainedParameters(const LayerSpec& layer) {
  if (!layer.batch_norm) return layer.parameters;
  using Role = ParameterSpec::Role;
  std::vector<ParameterSpec> trained;
  Shape channels;
  for (const ParameterSpec& parameter : layer.parameters) {
    if (parameter.role == Role::kFilter) trained.push_back(parameter);
    if (parameter.role == Role::kBias) channels = parameter.shape;
  }
  trained.push_back({"gamma", Role::kGamma, channels, 0, 0});
  trained.push_back({"beta", Role::kBeta, channels, 0, 0});
  trained.push_back({"moving_mean", Role::kMovingMean, channels, 0, 0});
  trained.push_back({"moving_variance", Role::kMovingVariance, channels, 0, 0});
  return trained;
}

}  // namespace qat
