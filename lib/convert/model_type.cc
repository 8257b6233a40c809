#include "convert/model_type.h"

#include "base/strings.h"

namespace qat {

std::string_view NameOf(const ModelType& type) {
  if (type.weights == WeightStorage::kFloat16) return "float16";
  if (type.weights == WeightStorage::kInt8) return "dynamic";
  if (type.weights == WeightStorage::kInt4) return "dynamic4";
  return type.is_real() ? "float32" : NameOf(type.precisions);
}

std::optional<ModelType> ModelTypeFromName(std::string_view name) {
  const Precisions reals = PrecisionsOf(Scheme::kFloat32);
  for (const WeightStorage weights :
       {WeightStorage::kFloat32, WeightStorage::kFloat16, WeightStorage::kInt8, WeightStorage::kInt4}) {
    const ModelType type = {reals, weights};
    if (name == NameOf(type)) return type;
  }
  const std::optional<Precisions> integers = IntegersFromName(name);
  return integers ? std::optional(ModelType{*integers}) : std::nullopt;
}

std::vector<std::string> ModelTypeNames() {
  std::vector<std::string> names = SplitText(IntegerNames(), ',');
  for (std::string& name : names) name.erase(0, name.find_first_not_of(' '));
  names.insert(names.end(), {"float32", "float16", "dynamic", "dynamic4"});
  return names;
}

}  // namespace qat
