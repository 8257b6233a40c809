#include "data/class_names.h"

#include <map>
#include <string_view>

#include "base/file.h"
#include "base/strings.h"

namespace qat {

Expected<std::vector<std::string>> ReadClassNames(const std::string& path) {
  QAT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  std::vector<std::string> names;
  for (std::string line : SplitText(text, '\n')) {
    while (!line.empty() && std::string_view(" \t\r").find(line.back()) != std::string_view::npos)
      line.pop_back();
    names.push_back(std::move(line));
  }
  while (!names.empty() && names.back().empty()) names.pop_back();
  if (names.empty()) return Corrupt(StrCat(path, ": is empty, expected one class name per line"));
  std::map<std::string_view, size_t> lines;
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) return Corrupt(StrCat(path, ": line ", i + 1, " is empty, expected a class name"));
    const auto [before, fresh] = lines.emplace(names[i], i);
    if (fresh) continue;
    return Corrupt(StrCat(path, ": line ", i + 1, " is '", names[i], "', as line ", before->second + 1,
                          " is, expected a different name for each class"));
  }
  return names;
}

std::vector<std::string> NumberedClasses(int64_t count) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

Status CheckLabels(const std::string& path, std::span<const int64_t> labels, const std::string& images_path,
                   int64_t images, size_t classes, int64_t per_image) {
  const auto count = static_cast<int64_t>(labels.size()) / per_image;
  if (count != images) {
    return Corrupt(StrCat(path, ": ", count, " labels, but ", images_path, " holds ", images, " images"));
  }
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] >= 0 && labels[i] < static_cast<int64_t>(classes)) continue;
    return Corrupt(StrCat(path, ": example ", i / static_cast<size_t>(per_image), ": label ", labels[i],
                          ", expected 0 to ", classes - 1, " (", kClassNamesFile,
                          " beside it names other classes)"));
  }
  return {};
}

}  // namespace qat
