#include "spec/plain_names.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "base/strings.h"
#include "spec/output_names.h"

namespace qat {
namespace {

using Path = std::vector<std::string>;

// The parts of the first of fused names, each with plain letters only.
Path PathOf(const std::string& name) {
  Path path;
  for (std::string part : SplitText(SplitText(name, ';')[0], '/')) {
    std::replace_if(
        part.begin(), part.end(),
        [](unsigned char c) { return c >= 0x80 || (!std::isalnum(c) && c != '_' && c != '-' && c != '.'); },
        '_');
    if (!part.empty()) path.push_back(std::move(part));
  }
  return path;
}

// The model's own name, where every path begins with it.
bool ShareFirst(const std::vector<Path>& paths) {
  const Path* first = nullptr;
  for (const Path& path : paths) {
    if (path.size() < 2) continue;
    if (first != nullptr && (*first)[0] != path[0]) return false;
    first = &path;
  }
  return first != nullptr;
}

std::string Joined(Path path, bool without_first) {
  if (without_first && path.size() > 1) path.erase(path.begin());
  if (path.size() > 1) path.pop_back();
  const std::string name = Join(path, ".");
  return IsPlainName(name) ? name : StrCat("layer_", name);
}

}  // namespace

std::vector<std::string> PlainNames(const std::vector<std::string>& names) {
  std::vector<Path> paths;
  std::set<std::string> taken;
  for (const std::string& name : names) {
    const bool plain = IsPlainName(name);
    paths.push_back(plain ? Path() : PathOf(name));
    if (plain) taken.insert(name);
  }
  const bool without_first = ShareFirst(paths);
  std::vector<std::string> plain;
  for (size_t i = 0; i < names.size(); ++i) {
    if (paths[i].empty() && IsPlainName(names[i])) {
      plain.push_back(names[i]);
      continue;
    }
    const std::string wanted = Joined(paths[i], without_first);
    std::string name = wanted;
    for (int again = 2; !taken.insert(name).second; ++again) name = StrCat(wanted, "_", again);
    plain.push_back(name);
  }
  return plain;
}

}  // namespace qat
