#include "fuzz/scratch.h"

#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>

#include "base/check.h"

namespace qat::fuzz {
namespace {

class Folder {
 public:
  Folder() {
    std::error_code none;
    const bool in_memory = std::filesystem::is_directory("/dev/shm", none);
    path_ = (in_memory ? "/dev/shm" : std::filesystem::temp_directory_path().string()) + "/qat-fuzz-XXXXXX";
    QAT_CHECK(mkdtemp(path_.data()) != nullptr);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

const std::string& ScratchFolder() {
  static const Folder kFolder;
  return kFolder.path();
}

std::string PutScratch(std::string_view name, std::span<const uint8_t> bytes) {
  const std::string path = ScratchFolder() + "/" + std::string(name);
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  file.close();
  QAT_CHECK(!file.fail());
  return path;
}

}  // namespace qat::fuzz
