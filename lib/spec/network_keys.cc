#include "spec/network_keys.h"

#include "base/strings.h"
#include "spec/network_spec.h"
#include "spec/scaling.h"
#include "spec/toml_text.h"

namespace qat {
namespace {

constexpr int64_t kLargestSide = 65536;

void ParseName(const toml::table& root, Refusals& refusals, NetworkSpec& spec) {
  if (const auto* name = root["name"].as_string()) {
    spec.name = name->get();
  } else if (const toml::node* node = root.get("name")) {
    refusals.Mismatch(*node, "name", "a text");
  } else {
    refusals.Refuse(TextPlace(), InvalidArgument("key 'name' is missing, expected a text"));
  }
}

// A whole number in [1, high]; what is missing is left as it is.
void ParseWhole(const toml::table& table, const std::string& name, int64_t high, Refusals& refusals,
                int32_t& into) {
  const toml::node* node = table.get(name);
  if (node == nullptr) return;
  const auto* value = node->as_integer();
  if (value != nullptr && value->get() >= 1 && value->get() <= high) {
    into = static_cast<int32_t>(value->get());
  } else {
    refusals.Mismatch(*node, name, StrCat("a whole number in [1, ", high, "]"));
  }
}

void ParseScaling(const toml::table& root, Refusals& refusals, Scaling& scaling) {
  if (const toml::node* node = root.get("width")) {
    const auto width = node->value<double>();
    if (width && *width > 0 && *width <= 16) {
      scaling.width = *width;
    } else {
      refusals.Mismatch(*node, "width", "a number in (0, 16]");
    }
  }
  ParseWhole(root, "divisor", 1024, refusals, scaling.divisor);
  ParseWhole(root, "resolution", kLargestSide, refusals, scaling.resolution);
  ParseWhole(root, "classes", 1 << 20, refusals, scaling.classes);
}

// [F] as 1 x 1 x F, [T, C] as 1 x T x C, [H, W, C]: what an example of the data has, without the batch.
void ParseShape(const toml::node& node, Refusals& refusals, Shape& shape) {
  constexpr char kExpected[] = "[features], [steps, channels] or [height, width, channels], each a whole number of at least 1";
  const toml::array* sizes = node.as_array();
  if (sizes == nullptr || sizes->empty() || sizes->size() > 3) {
    refusals.Mismatch(node, "shape", kExpected);
    return;
  }
  shape = {1, 1, 1, 1};
  size_t axis = shape.size() - sizes->size();
  for (const toml::node& size : *sizes) {
    const auto* value = size.as_integer();
    if (value == nullptr || value->get() < 1 || value->get() > kLargestSide) {
      refusals.Mismatch(size, "shape", kExpected);
      return;
    }
    shape[axis++] = static_cast<int32_t>(value->get());
  }
}

void ParseInput(const toml::table& root, int32_t resolution, Refusals& refusals, Shape& shape) {
  shape = {1, 1, 1, 1};
  constexpr char kExpected[] = "a block with height, width and channels, or with shape";
  const toml::node* node = root.get("input");
  const toml::table* input = node == nullptr ? nullptr : node->as_table();
  if (node == nullptr) {
    refusals.Refuse(TextPlace(), InvalidArgument(StrCat("[input] is missing, expected ", kExpected)));
  } else if (input == nullptr) {
    refusals.Mismatch(*node, "input", kExpected);
  }
  if (input == nullptr) return;
  refusals.set_context("[input]: ");
  if (const toml::node* given = input->get("shape"); given != nullptr && resolution == 0) {
    refusals.RejectUnknown(*input, {"shape"});
    ParseShape(*given, refusals, shape);
    refusals.set_context("");
    return;
  }
  std::vector<std::string> names = {"height", "width", "channels"};
  if (resolution > 0) {
    shape = {1, resolution, resolution, 1};
    names = {"channels"};  // the others would contradict the resolution
  }
  refusals.RejectUnknown(*input, names);
  for (const std::string& name : names) {
    const size_t axis = name == "height" ? 1 : name == "width" ? 2 : 3;
    if (!input->contains(name)) refusals.Missing(*input, name, "a positive integer");
    ParseWhole(*input, name, kLargestSide, refusals, shape[axis]);
  }
  refusals.set_context("");
}

}  // namespace

void ParseNetworkKeys(const TomlText& text, Refusals& refusals, NetworkSpec& spec, Scaling& scaling) {
  const toml::table& root = text.root();
  refusals.RejectUnknown(root, {"name", "width", "divisor", "resolution", "classes", "input", "layer"});
  ParseName(root, refusals, spec);
  ParseScaling(root, refusals, scaling);
  ParseInput(root, scaling.resolution, refusals, spec.input_shape);
  spec.classes = scaling.classes;
}

}  // namespace qat
