// test_util.h: what tests share: temporary folders, the data folder, matchers for Expected.
#ifndef QAT_TESTS_SUPPORT_TEST_UTIL_H_
#define QAT_TESTS_SUPPORT_TEST_UTIL_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "base/expected.h"
#include "support/places.h"

namespace qat::testing {

/// A folder that goes away with the test.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "qat-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Where real data lies: QAT_TEST_DATA, else ../shared/data beside the checkout.
inline std::string DataDir() {
  const char* set = std::getenv("QAT_TEST_DATA");
  return set != nullptr && *set != '\0' ? set : kTestDataDefault;
}

/// With QAT_TEST_REQUIRE=1, as in CI, nothing may be skipped.
inline bool RequireEverything() {
  const char* set = std::getenv("QAT_TEST_REQUIRE");
  return set != nullptr && std::string(set) == "1";
}

}  // namespace qat::testing

/// Skips the test where `path` is absent; fails instead under QAT_TEST_REQUIRE=1.
#define QAT_NEEDS_FILE(path)                                                  \
  if (!std::filesystem::exists(path)) {                                       \
    if (qat::testing::RequireEverything()) FAIL() << (path) << " is missing"; \
    GTEST_SKIP() << (path) << " is missing";                                  \
  }

#define QAT_ASSERT_OK(expression)                               \
  do {                                                          \
    const auto& qat_result = (expression);                      \
    ASSERT_TRUE(qat_result.ok()) << qat_result.error().message; \
  } while (false)

/// The expression fails with `error_code` and a message that holds `text`.
#define QAT_EXPECT_ERROR(expression, error_code, text)                                                 \
  do {                                                                                                 \
    const auto qat_result = (expression);                                                              \
    ASSERT_FALSE(qat_result.ok());                                                                     \
    EXPECT_EQ(static_cast<int>(qat_result.error().code), static_cast<int>(error_code))                 \
        << qat_result.error().message;                                                                 \
    EXPECT_NE(qat_result.error().message.find(text), std::string::npos) << qat_result.error().message; \
  } while (false)

#endif  // QAT_TESTS_SUPPORT_TEST_UTIL_H_
