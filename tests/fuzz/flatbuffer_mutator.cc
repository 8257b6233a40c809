// Places are found by the binary schemas that flatc embeds in the build. Nothing in the bytes is trusted:
// they may be mutated already.
#include "fuzz/flatbuffer_mutator.h"

#include <flatbuffers/reflection_generated.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "checkpoint_bfbs_generated.h"
#include "contract_bfbs_generated.h"
#include "fuzz/mutate.h"
#include "graph_bfbs_generated.h"
#include "tflite_bfbs_generated.h"
#include "tflite_metadata_bfbs_generated.h"

namespace qat::fuzz {
namespace {

constexpr size_t kMostPlaces = 1 << 15;
constexpr size_t kMostElements = 24;  // of one vector: others would be lost among the values of a filter
constexpr int kMostDepth = 24;

enum class PlaceKind { kValue, kLength, kOffset, kVtableEntry };

struct FieldPlace {
  PlaceKind kind;
  reflection::BaseType type;  // of a value
  size_t begin;
};

constexpr size_t SizeOfType(reflection::BaseType type) {
  switch (type) {
    case reflection::Short:
    case reflection::UShort:
      return 2;
    case reflection::Int:
    case reflection::UInt:
    case reflection::Float:
      return 4;
    case reflection::Long:
    case reflection::ULong:
    case reflection::Double:
      return 8;
    default:
      return 1;
  }
}

constexpr bool IsScalarType(reflection::BaseType type) {
  return type >= reflection::UType && type <= reflection::Double;
}

class PlaceFinder {
 public:
  PlaceFinder(const reflection::Schema& schema, std::span<const uint8_t> bytes)
      : schema_(schema), bytes_(bytes) {}

  std::vector<FieldPlace> Run() {
    if (Fits(0, 8)) FindInTable(Target(0), *schema_.root_table(), 0);
    return std::move(places_);
  }

 private:
  bool Fits(size_t begin, size_t size) const {
    return begin <= bytes_.size() && size <= bytes_.size() - begin;
  }

  template <class T>
  T Read(size_t place) const {
    T value{};
    if (Fits(place, sizeof(T))) std::memcpy(&value, bytes_.data() + place, sizeof(T));
    return value;
  }

  size_t Target(size_t place) const { return place + Read<uint32_t>(place); }

  void Add(PlaceKind kind, size_t begin, size_t size, reflection::BaseType type = reflection::None) {
    if (Fits(begin, size) && places_.size() < kMostPlaces) places_.push_back({kind, type, begin});
  }

  void FindInTable(size_t table, const reflection::Object& object, int depth) {
    if (depth > kMostDepth || !Fits(table, 4) || object.is_struct() || places_.size() >= kMostPlaces) return;
    const auto vtable = static_cast<size_t>(static_cast<int64_t>(table) - Read<int32_t>(table));
    if (!Fits(vtable, 4)) return;
    const uint16_t vtable_size = Read<uint16_t>(vtable);
    for (const reflection::Field* field : *object.fields()) {
      if (field->offset() + 2 > vtable_size) continue;
      const uint16_t at = Read<uint16_t>(vtable + field->offset());
      if (at == 0) continue;
      Add(PlaceKind::kVtableEntry, vtable + field->offset(), 2);
      if (field->type()->base_type() == reflection::Union) {
        const uint16_t type_at = Read<uint16_t>(vtable + field->offset() - 2);
        if (type_at != 0) FindInUnion(table + at, *field, Read<uint8_t>(table + type_at), depth);
      } else {
        FindInField(table + at, *field->type(), depth);
      }
    }
  }

  void FindInUnion(size_t place, const reflection::Field& field, uint8_t type, int depth) {
    const reflection::Enum& members = *schema_.enums()->Get(static_cast<uint32_t>(field.type()->index()));
    for (const reflection::EnumVal* member : *members.values()) {
      if (member->value() != type || member->union_type() == nullptr || member->union_type()->index() < 0)
        continue;
      Add(PlaceKind::kOffset, place, 4);
      FindInTable(Target(place),
                  *schema_.objects()->Get(static_cast<uint32_t>(member->union_type()->index())), depth + 1);
    }
  }

  void FindInField(size_t place, const reflection::Type& type, int depth) {
    if (IsScalarType(type.base_type()))
      return Add(PlaceKind::kValue, place, SizeOfType(type.base_type()), type.base_type());
    Add(PlaceKind::kOffset, place, 4);
    if (type.base_type() == reflection::Obj)
      return FindInTable(Target(place), *schema_.objects()->Get(static_cast<uint32_t>(type.index())),
                         depth + 1);
    if (type.base_type() == reflection::String)
      return FindInVector(Target(place), reflection::UByte, type, depth);
    if (type.base_type() == reflection::Vector)
      return FindInVector(Target(place), type.element(), type, depth);
  }

  void FindInVector(size_t vector, reflection::BaseType element, const reflection::Type& type, int depth) {
    if (!Fits(vector, 4)) return;
    Add(PlaceKind::kLength, vector, 4);
    const bool scalar = IsScalarType(element);
    const size_t size = scalar ? SizeOfType(element) : 4;
    const size_t count = std::min<size_t>(Read<uint32_t>(vector), bytes_.size() / size);
    const size_t step = scalar ? count / kMostElements + 1 : 1;
    for (size_t i = 0; i < count; i += step) {
      const size_t place = vector + 4 + i * size;
      if (!Fits(place, size)) return;
      if (scalar) {
        Add(PlaceKind::kValue, place, size, element);
        continue;
      }
      Add(PlaceKind::kOffset, place, 4);
      if (element == reflection::String)
        FindInVector(Target(place), reflection::UByte, type, depth);
      else if (element == reflection::Obj)
        FindInTable(Target(place), *schema_.objects()->Get(static_cast<uint32_t>(type.index())), depth + 1);
    }
  }

  const reflection::Schema& schema_;
  std::span<const uint8_t> bytes_;
  std::vector<FieldPlace> places_;
};

template <class T>
void Change(Random& random, uint8_t* place) {
  T value;
  std::memcpy(&value, place, sizeof(T));
  if constexpr (std::is_floating_point_v<T>)
    value = static_cast<T>(InterestingReal(random, static_cast<double>(value)));
  else
    value = static_cast<T>(InterestingInteger(random, static_cast<int64_t>(value)));
  std::memcpy(place, &value, sizeof(T));
}

void ChangeValue(reflection::BaseType type, Random& random, uint8_t* place) {
  switch (SizeOfType(type)) {
    case 1:
      // Types and operators are numbers below 200.
      *place = static_cast<uint8_t>(random.Below(2) == 0
                                        ? random.Below(200)
                                        : static_cast<uint32_t>(InterestingInteger(random, *place)));
      break;
    case 2:
      Change<int16_t>(random, place);
      break;
    case 4:
      type == reflection::Float ? Change<float>(random, place) : Change<int32_t>(random, place);
      break;
    default:
      type == reflection::Double ? Change<double>(random, place) : Change<int64_t>(random, place);
      break;
  }
}

// One time out of two, the target of another offset: two fields share a table, or one has the table of
// another kind.
void ChangeOffset(const std::vector<FieldPlace>& places, Random& random, std::span<uint8_t> bytes,
                  size_t place) {
  const FieldPlace& other = places[Place(random, places.size())];
  if (other.kind != PlaceKind::kOffset || random.Below(2) == 0) return Change<int32_t>(random, &bytes[place]);
  uint32_t offset;
  std::memcpy(&offset, &bytes[other.begin], sizeof(offset));
  offset = static_cast<uint32_t>(other.begin + offset - place);
  std::memcpy(&bytes[place], &offset, sizeof(offset));
}

const reflection::Schema& SchemaOf(TableKind kind) {
  const uint8_t* bytes = nullptr;
  switch (kind) {
    case TableKind::kContract:
      bytes = fb::InputContractBinarySchema::data();
      break;
    case TableKind::kCheckpoint:
      bytes = fb::CheckpointBinarySchema::data();
      break;
    case TableKind::kGraph:
      bytes = fb::GraphBinarySchema::data();
      break;
    case TableKind::kModel:
      bytes = tflite::ModelBinarySchema::data();
      break;
    case TableKind::kModelMetadata:
      bytes = tflite::metadata::ModelMetadataBinarySchema::data();
      break;
  }
  return *reflection::GetSchema(bytes);
}

}  // namespace

void MutateTables(TableKind kind, Random& random, std::span<uint8_t> bytes) {
  const std::vector<FieldPlace> places = PlaceFinder(SchemaOf(kind), bytes).Run();
  if (places.empty()) return MutateNumberInPlace(random, bytes);
  for (uint32_t changes = 1 + random.Below(4) * random.Below(2); changes > 0; --changes) {
    FieldPlace place = places[Place(random, places.size())];
    // What is no value mostly makes the whole unreadable, so values come more often.
    if (place.kind != PlaceKind::kValue && random.Below(4) != 0) place = places[Place(random, places.size())];
    switch (place.kind) {
      case PlaceKind::kValue:
        ChangeValue(place.type, random, &bytes[place.begin]);
        break;
      case PlaceKind::kLength:
        Change<int32_t>(random, &bytes[place.begin]);
        break;
      case PlaceKind::kOffset:
        ChangeOffset(places, random, bytes, place.begin);
        break;
      case PlaceKind::kVtableEntry:
        bytes[place.begin] = random.Below(2) == 0 ? 0 : static_cast<uint8_t>(random.Below(64));
        break;
    }
  }
}

}  // namespace qat::fuzz
