#include "eval/torch_backend_loader.h"

#include <gtest/gtest.h>

#include "support/places.h"
#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

TEST(TorchBackendLoader, AMissingModuleSaysTheWayOut) {
  testing::TempDir folder;
  QAT_EXPECT_ERROR(LoadTorchBackend(folder / "qat_torch_backend.so"), ErrorCode::kUnsupported,
                   "QAT_WITH_TORCH=ON");
}

TEST(TorchBackendLoader, AFileThatIsNoLibraryIsRefusedWithItsPath) {
  testing::TempDir folder;
  testing::WriteText(folder / "qat_torch_backend.so", "no ELF header");
  QAT_EXPECT_ERROR(LoadTorchBackend(folder / "qat_torch_backend.so"), ErrorCode::kUnsupported,
                   "cannot be opened");
}

TEST(TorchBackendLoader, LooksNextToTheProgram) {
  EXPECT_EQ(TorchBackendPath(), std::filesystem::weakly_canonical(std::string(testing::kBinaryDir) +
                                                                  "/lib/qat/qat_torch_backend.so"));
}

}  // namespace
}  // namespace qat
