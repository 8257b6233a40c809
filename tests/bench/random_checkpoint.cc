// Writes a checkpoint of a network as training starts it, without LibTorch: time does not depend on what was
// learned.
// qat_random_checkpoint NETWORK OUT.ckpt [WIDTH RESOLUTION]; 0 for WIDTH or RESOLUTION is what the network
// says.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numbers>
#include <string>

#include "base/random.h"
#include "base/strings.h"
#include "checkpoint/checkpoint.h"
#include "spec/build_graph.h"

namespace qat {
namespace {

constexpr uint64_t kSeed = 4;

// Box and Muller 1958.
float Normal(Random& random) {
  const double radius = std::sqrt(-2 * std::log(1.0 - static_cast<double>(random.Uniform())));
  return static_cast<float>(radius * std::cos(2 * std::numbers::pi * static_cast<double>(random.Uniform())));
}

// Filters as He et al. 2015 draw them; the rest close to what leaves values as they are.
std::vector<float> ValuesOf(const ParameterSpec& parameter, Random& random) {
  using Role = ParameterSpec::Role;
  const bool is_filter = parameter.role == Role::kFilter;
  const bool is_factor = parameter.role == Role::kGamma || parameter.role == Role::kMovingVariance;
  const float middle = is_factor ? 1 : 0;
  const float spread = is_filter ? std::sqrt(2.0f / static_cast<float>(parameter.fan_in)) : 0.1f;
  std::vector<float> values(static_cast<size_t>(FlatSize(parameter.shape)));
  for (float& value : values) {
    value = middle + spread * Normal(random);
    if (is_factor) value = std::fabs(value);
  }
  return values;
}

Expected<Checkpoint> RandomCheckpoint(const NetworkSpec& spec) {
  Checkpoint checkpoint;
  checkpoint.scheme = "float32";
  QAT_ASSIGN_OR_RETURN(checkpoint.network, BuildGraph(spec));
  const Shape& input = spec.inputs.front().shape;
  InputContract& contract = checkpoint.contract.input();
  contract.height = input[1];
  contract.width = input[2];
  contract.channels = input[3];
  contract.mean.assign(static_cast<size_t>(input[3]), 127.5f);
  contract.std.assign(static_cast<size_t>(input[3]), 127.5f);
  Random random(kSeed);
  for (const LayerSpec& layer : spec.layers) {
    for (const ParameterSpec& parameter : TrainedParameters(layer)) {
      checkpoint.tensors[StrCat(layer.name, "/", parameter.suffix)] = {parameter.shape,
                                                                       ValuesOf(parameter, random)};
    }
  }
  return checkpoint;
}

Status Write(const std::string& network, const std::string& path, const ScalingFlags& flags) {
  QAT_ASSIGN_OR_RETURN(const NetworkSpec spec, LoadNetworkSpec(network, flags));
  QAT_ASSIGN_OR_RETURN(const Checkpoint checkpoint, RandomCheckpoint(spec));
  return WriteFile(path, Serialize(checkpoint));
}

}  // namespace
}  // namespace qat

int main(int argc, char** argv) {
  if (argc != 3 && argc != 5) {
    std::fprintf(stderr, "Usage: qat_random_checkpoint NETWORK OUT.ckpt [WIDTH RESOLUTION]\n");
    return 2;
  }
  qat::ScalingFlags flags;
  if (argc == 5) flags = {std::atof(argv[3]), std::atoi(argv[4]), 0};
  const qat::Status status = qat::Write(argv[1], argv[2], flags);
  if (status.ok()) return 0;
  std::fprintf(stderr, "qat_random_checkpoint: %s\n", status.error().message.c_str());
  return 3;
}
