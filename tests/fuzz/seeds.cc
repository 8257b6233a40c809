#include "fuzz/seeds.h"

#include <algorithm>
#include <filesystem>

#include "base/random.h"
#include "base/strings.h"
#include "freeze/freeze.h"
#include "fuzz/mutate.h"
#include "fuzz/pipeline.h"
#include "spec/build_graph.h"
#include "support/places.h"
#include "support/random_conversions.h"
#include "support/random_hybrids.h"
#include "support/random_models.h"
#include "support/random_operators.h"
#include "support/random_run_operators.h"
#include "support/tiny_checkpoint.h"

namespace qat::fuzz {
namespace {

constexpr uint64_t kLargestSeed = 64 << 10;
constexpr size_t kMostWeights = 20000;  // of a network: larger ones make every step of a fuzzer slow

std::vector<float> RandomValues(const Shape& shape, bool positive, Random& random) {
  std::vector<float> values(static_cast<size_t>(FlatSize(shape)));
  for (float& value : values) value = random.Uniform() - (positive ? -0.25f : 0.5f);
  return values;
}

// One for each output that owns one, and for filters with one scale.
void GiveRanges(Checkpoint& checkpoint, Random& random) {
  const Graph& network = checkpoint.network;
  const auto give = [&](int32_t tensor) {
    checkpoint.ranges[network.tensor(tensor).name] = {{-1 - random.Uniform(), 2 + random.Uniform()}, 0.01f};
  };
  for (const GraphNode& node : network.nodes) {
    if (node.definition().output_quantization == OutputQuantization::kOwnRange)
      std::for_each(node.outputs.begin(), node.outputs.end(), give);
    for (const int32_t tensor : TrainedTensorsOf(network, node)) {
      const bool is_filter = network.tensor(tensor).trained->role == ParameterSpec::Role::kFilter;
      if (is_filter && checkpoint.scheme == "uint8") give(tensor);
    }
  }
}

Expected<Checkpoint> RandomCheckpoint(const NetworkSpec& spec, Random& random) {
  Checkpoint checkpoint;
  checkpoint.scheme = random.Below(2) == 0 ? "uint8" : "int8";
  QAT_ASSIGN_OR_RETURN(checkpoint.network, BuildGraph(spec));
  checkpoint.contract.inputs.clear();
  for (const InputSpec& input : spec.inputs) {
    InputContract& contract = checkpoint.contract.inputs.emplace_back();
    contract.name = spec.inputs.size() > 1 ? input.name : "";
    contract.height = input.shape[1];
    contract.width = input.shape[2];
    contract.channels = input.shape[3];
    contract.mean.assign(static_cast<size_t>(input.shape[3]), 127.5f);
    contract.std.assign(static_cast<size_t>(input.shape[3]), 127.5f);
  }
  for (const LayerSpec& layer : spec.layers) {
    for (const ParameterSpec& parameter : TrainedParameters(layer)) {
      const bool positive = parameter.role == ParameterSpec::Role::kGamma ||
                            parameter.role == ParameterSpec::Role::kMovingVariance;
      checkpoint.tensors[StrCat(layer.name, "/", parameter.suffix)] = {
          parameter.shape, RandomValues(parameter.shape, positive, random)};
    }
  }
  GiveRanges(checkpoint, random);
  return checkpoint;
}

size_t WeightsOf(const Checkpoint& checkpoint) {
  size_t count = 0;
  for (const auto& [name, tensor] : checkpoint.tensors) count += tensor.values.size();
  return count;
}

// With learned ranges of filters, one of which holds every value.
Checkpoint LearnedCheckpoint() {
  Checkpoint checkpoint = testing::TinyCheckpoint();
  checkpoint.scheme = "w4a8";
  for (const char* filter : {"conv/filter", "fc/filter"}) {
    checkpoint.ranges.erase(filter);
    const int32_t channels = checkpoint.tensors.at(filter).shape[0];
    checkpoint.filter_ranges[filter] = {{channels}, std::vector<float>(static_cast<size_t>(channels), 0.25f)};
  }
  checkpoint.filter_ranges["fc/filter"].values[0] = 0;
  return checkpoint;
}

std::vector<Checkpoint> MakeCheckpoints() {
  std::vector<Checkpoint> checkpoints = {testing::TinyCheckpoint(), LearnedCheckpoint()};
  Random random(5);
  for (const Bytes& text : FilesOfTree("tests/specs", ".toml")) {
    const auto spec = ParseNetworkSpec(TextOf(text), "seed");
    QAT_CHECK(spec.ok());
    auto checkpoint = RandomCheckpoint(*spec, random);
    if (checkpoint.ok() && WeightsOf(*checkpoint) <= kMostWeights)
      checkpoints.push_back(*std::move(checkpoint));
  }
  return checkpoints;
}

std::vector<Graph> MakeGraphs() {
  std::vector<Graph> graphs = {testing::TinyGraph(), testing::TinyGraph(false)};
  for (const Checkpoint& checkpoint : SeedCheckpoints()) {
    std::vector<std::string> warnings;
    auto graph = Freeze(checkpoint, {}, warnings);
    if (graph.ok()) graphs.push_back(*std::move(graph));
  }
  return graphs;
}

std::vector<Bytes> MakeModels() {
  std::vector<Bytes> models;
  for (uint64_t seed = 1; seed <= 24; ++seed) {
    models.push_back(testing::MakeRandomModel(seed).bytes);
    models.push_back(testing::MakeRandomConversion(seed).bytes);
    models.push_back(testing::MakeRandomHybrid(seed).bytes);
    models.push_back(testing::MakeRandomDepthwise(seed).bytes);
    models.push_back(testing::MakeRandomInt4Operator(seed).bytes);
    models.push_back(testing::MakeRandomInt16Operator(seed).bytes);
    models.push_back(testing::MakeRandomInt16RunOperator(seed).bytes);
    for (uint64_t more = 0; more < 4; ++more) {
      models.push_back(testing::MakeRandomOperator(seed + 100 * more).bytes);
      models.push_back(testing::MakeRandomRunOperator(seed + 100 * more).bytes);
    }
  }
  for (const Graph& graph : SeedGraphs()) {
    for (const Scheme scheme : {Scheme::kUInt8, Scheme::kInt8, Scheme::kFloat32}) {
      auto model = ModelOf(graph, PrecisionsOf(scheme));
      if (model.ok() && model->size() <= kLargestSeed) models.push_back(*std::move(model));
    }
  }
  return models;
}

}  // namespace

std::vector<Bytes> FilesOfTree(std::string_view folder, std::string_view ending) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(StrCat(testing::kSourceDir, "/", folder))) {
    if (entry.path().string().ends_with(ending)) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Bytes> files;
  for (const std::string& path : paths) {
    auto bytes = ReadFile(path);
    QAT_CHECK(bytes.ok());
    if (bytes->size() <= kLargestSeed) files.push_back(*std::move(bytes));
  }
  return files;
}

const std::vector<Checkpoint>& SeedCheckpoints() {
  static const std::vector<Checkpoint> kCheckpoints = MakeCheckpoints();
  return kCheckpoints;
}

const std::vector<Graph>& SeedGraphs() {
  static const std::vector<Graph> kGraphs = MakeGraphs();
  return kGraphs;
}

const std::vector<Bytes>& SeedModels() {
  static const std::vector<Bytes> kModels = MakeModels();
  return kModels;
}

}  // namespace qat::fuzz
