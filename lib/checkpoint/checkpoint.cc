#include "checkpoint/checkpoint.h"

#include <flatbuffers/flatbuffers.h>

#include "base/envelope.h"
#include "base/file_kind.h"
#include "base/hash.h"
#include "base/strings.h"
#include "checkpoint/version1.h"
#include "checkpoint_generated.h"
#include "quant/precision.h"

namespace qat {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

// Raised when a field changes its meaning; a field that is only added keeps it. Learned ranges change that of
// filters: earlier readers would deploy them unclamped.
constexpr uint32_t kCheckpointVersion = 3;
constexpr uint32_t kVersionOfObservedRanges = 2;
constexpr uint32_t kTrainerStateVersion = 1;

template <class T>
using Entries = Offset<flatbuffers::Vector<Offset<T>>>;

Entries<fb::NamedTensor> WriteTensors(FlatBufferBuilder& builder,
                                      const std::map<std::string, NamedTensor>& tensors) {
  std::vector<Offset<fb::NamedTensor>> entries;
  for (const auto& [name, tensor] : tensors) {
    QAT_CHECK(CheckedFlatSize(tensor.shape) == std::ssize(tensor.values));
    const auto name_offset = builder.CreateString(name);
    const auto shape = builder.CreateVector(tensor.shape);
    entries.push_back(
        fb::CreateNamedTensor(builder, name_offset, shape, builder.CreateVector(tensor.values)));
  }
  return builder.CreateVector(entries);
}

Entries<fb::NamedRange> WriteRanges(FlatBufferBuilder& builder,
                                    const std::map<std::string, NamedRange>& ranges) {
  std::vector<Offset<fb::NamedRange>> entries;
  for (const auto& [name, r] : ranges) {
    entries.push_back(
        fb::CreateNamedRange(builder, builder.CreateString(name), r.range.min, r.range.max, r.drift));
  }
  return builder.CreateVector(entries);
}

Entries<fb::NamedNumber> WriteNumbers(FlatBufferBuilder& builder,
                                      const std::map<std::string, double>& numbers) {
  std::vector<Offset<fb::NamedNumber>> entries;
  for (const auto& [name, value] : numbers) {
    entries.push_back(fb::CreateNamedNumber(builder, builder.CreateString(name), value));
  }
  return builder.CreateVector(entries);
}

Entries<fb::NamedText> WriteTexts(FlatBufferBuilder& builder,
                                  const std::map<std::string, std::string>& texts) {
  std::vector<Offset<fb::NamedText>> entries;
  for (const auto& [name, value] : texts) {
    const auto name_offset = builder.CreateString(name);
    entries.push_back(fb::CreateNamedText(builder, name_offset, builder.CreateString(value)));
  }
  return builder.CreateVector(entries);
}

template <class Root>
Bytes Seal(FlatBufferBuilder& builder, Offset<Root> root, std::string_view identifier, uint32_t version) {
  builder.Finish(root);
  return SealEnvelope(identifier, version, {builder.GetBufferPointer(), builder.GetSize()});
}

/// The verified root table behind the head.
template <class Root>
Expected<const Root*> OpenRoot(std::span<const uint8_t> bytes, std::string_view identifier, uint32_t version,
                               const std::string& source) {
  QAT_ASSIGN_OR_RETURN(const auto payload, OpenEnvelope(bytes, identifier, version, source));
  flatbuffers::Verifier verifier(payload.data(), payload.size());
  if (!verifier.VerifyBuffer<Root>()) return Corrupt(StrCat(source, ": its tables are malformed"));
  return flatbuffers::GetRoot<Root>(payload.data());
}

/// Inserts every entry into `out`, made by `read`. Errors: a name that comes twice.
template <class T, class Out, class Read>
Status ReadEntries(const flatbuffers::Vector<Offset<T>>& entries, std::map<std::string, Out>& out,
                   const Read& read) {
  for (const T* entry : entries) {
    const std::string name = entry->name()->str();
    QAT_ASSIGN_OR_RETURN_IN(StrCat("'", name, "'"), Out value, read(*entry));
    if (!out.emplace(name, std::move(value)).second) return Corrupt(StrCat("'", name, "' is there twice"));
  }
  return {};
}

Expected<NamedTensor> ReadTensor(const fb::NamedTensor& entry) {
  NamedTensor tensor;
  tensor.shape.assign(entry.shape()->begin(), entry.shape()->end());
  if (CheckedFlatSize(tensor.shape) != int64_t{entry.values()->size()}) {
    return Corrupt(StrCat("has ", entry.values()->size(), " values, its shape is ", ToString(tensor.shape)));
  }
  tensor.values.assign(entry.values()->begin(), entry.values()->end());
  return tensor;
}

Expected<NamedRange> ReadRange(const fb::NamedRange& entry) {
  return NamedRange{{entry.min(), entry.max()}, entry.drift()};
}

Expected<double> ReadNumber(const fb::NamedNumber& entry) { return entry.value(); }

Expected<std::string> ReadText(const fb::NamedText& entry) { return entry.value()->str(); }

Expected<Graph> ReadNetwork(const fb::Checkpoint& root) {
  if (root.network() == nullptr) {
    if (root.spec_text() == nullptr) return Corrupt("holds no network");
    return NetworkOfVersion1(root.spec_text()->str(),
                             root.spec_source() == nullptr ? "" : root.spec_source()->str());
  }
  QAT_ASSIGN_OR_RETURN(Graph network,
                       ParseGraph({root.network()->data(), root.network()->size()}, "network"));
  if (network.form == GraphForm::kTrainable) return network;
  return Corrupt("network: is a frozen graph, expected one that can be trained");
}

Expected<Checkpoint> ReadRoot(const fb::Checkpoint& root) {
  Checkpoint checkpoint;
  checkpoint.step = root.step();
  checkpoint.scheme = root.scheme()->str();
  QAT_ASSIGN_OR_RETURN(checkpoint.network, ReadNetwork(root));
  checkpoint.config_text = root.config_text()->str();
  QAT_ASSIGN_OR_RETURN_IN("input contract", checkpoint.contract,
                          ParseContract({root.contract()->data(), root.contract()->size()}));
  QAT_RETURN_IF_ERROR_IN("tensor", ReadEntries(*root.tensors(), checkpoint.tensors, ReadTensor));
  QAT_RETURN_IF_ERROR_IN("range", ReadEntries(*root.ranges(), checkpoint.ranges, ReadRange));
  QAT_RETURN_IF_ERROR_IN("metric", ReadEntries(*root.metrics(), checkpoint.metrics, ReadNumber));
  if (root.batch_norm_gaps() != nullptr) {
    QAT_RETURN_IF_ERROR_IN("batch norm",
                           ReadEntries(*root.batch_norm_gaps(), checkpoint.batch_norm_gaps, ReadNumber));
  }
  if (root.filter_ranges() != nullptr)
    QAT_RETURN_IF_ERROR_IN("filter range",
                           ReadEntries(*root.filter_ranges(), checkpoint.filter_ranges, ReadTensor));
  QAT_RETURN_IF_ERROR_IN("provenance", ReadEntries(*root.provenance(), checkpoint.provenance, ReadText));
  if (checkpoint.step < 0) return Corrupt(StrCat("step is ", checkpoint.step, ", expected 0 or more"));
  if (!PrecisionsFromName(checkpoint.scheme))
    return Unsupported(StrCat("scheme is '", checkpoint.scheme, "', expected float32, ", IntegerNames()));
  return checkpoint;
}

}  // namespace

Bytes Serialize(const Checkpoint& checkpoint) {
  FlatBufferBuilder builder;
  const Bytes contract = Serialize(checkpoint.contract);
  builder.ForceVectorAlignment(contract.size(), 1, 8);
  const auto contract_offset = builder.CreateVector(contract);
  const auto scheme = builder.CreateString(checkpoint.scheme);
  const Bytes network = Serialize(checkpoint.network);
  builder.ForceVectorAlignment(network.size(), 1, 16);
  const auto network_offset = builder.CreateVector(network);
  const auto config_text = builder.CreateString(checkpoint.config_text);
  const auto tensors = WriteTensors(builder, checkpoint.tensors);
  const auto ranges = WriteRanges(builder, checkpoint.ranges);
  const auto metrics = WriteNumbers(builder, checkpoint.metrics);
  const auto provenance = WriteTexts(builder, checkpoint.provenance);
  // Nothing is written for networks without batch norms: their bytes are those of before.
  Entries<fb::NamedNumber> gaps = 0;
  if (!checkpoint.batch_norm_gaps.empty()) gaps = WriteNumbers(builder, checkpoint.batch_norm_gaps);
  const bool learned = !checkpoint.filter_ranges.empty();
  Entries<fb::NamedTensor> filter_ranges = 0;
  if (learned) filter_ranges = WriteTensors(builder, checkpoint.filter_ranges);
  const auto root =
      fb::CreateCheckpoint(builder, checkpoint.step, scheme, 0, 0, config_text, contract_offset, tensors,
                           ranges, metrics, provenance, gaps, network_offset, filter_ranges);
  return Seal(builder, root, kCheckpointIdentifier, learned ? kCheckpointVersion : kVersionOfObservedRanges);
}

Expected<Checkpoint> ParseCheckpoint(std::span<const uint8_t> bytes, const std::string& source) {
  QAT_ASSIGN_OR_RETURN(const auto* root,
                       OpenRoot<fb::Checkpoint>(bytes, kCheckpointIdentifier, kCheckpointVersion, source));
  QAT_ASSIGN_OR_RETURN_IN(source, Checkpoint checkpoint, ReadRoot(*root));
  if (root->network() == nullptr) checkpoint.version1_sha256 = Sha256(bytes);
  return checkpoint;
}

std::string FileHash(const Checkpoint& checkpoint) {
  return checkpoint.version1_sha256.empty() ? Sha256(Serialize(checkpoint)) : checkpoint.version1_sha256;
}

Expected<Checkpoint> ReadCheckpoint(const std::string& path) {
  QAT_ASSIGN_OR_RETURN(const Bytes bytes, ReadFileOfKind(path, kCheckpointIdentifier));
  return ParseCheckpoint(bytes, path);
}

Bytes Serialize(const TrainerState& state) {
  FlatBufferBuilder builder;
  const auto tensors = WriteTensors(builder, state.tensors);
  const auto scalars = WriteNumbers(builder, state.scalars);
  const auto root = fb::CreateTrainerState(builder, state.step, tensors, scalars);
  return Seal(builder, root, kTrainerStateIdentifier, kTrainerStateVersion);
}

Expected<TrainerState> ReadTrainerState(const std::string& path) {
  QAT_ASSIGN_OR_RETURN(const Bytes bytes, ReadFileOfKind(path, kTrainerStateIdentifier));
  QAT_ASSIGN_OR_RETURN(const auto* root, OpenRoot<fb::TrainerState>(bytes, kTrainerStateIdentifier,
                                                                    kTrainerStateVersion, path));
  TrainerState state;
  state.step = root->step();
  QAT_RETURN_IF_ERROR_IN(path, ReadEntries(*root->tensors(), state.tensors, ReadTensor));
  QAT_RETURN_IF_ERROR_IN(path, ReadEntries(*root->scalars(), state.scalars, ReadNumber));
  return state;
}

}  // namespace qat
