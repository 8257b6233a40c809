#include "runtime/kernels/isa.h"
#include "runtime/runnable_model.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "support/model_builder.h"
#include "support/random_models.h"
#include "support/run_model.h"

namespace qat {
namespace {

// Sets QAT_FORCE_ISA for one test, whatever the tests run under.
class ForcedIsa : public ::testing::Test {
 protected:
  ForcedIsa() {
    const char* value = std::getenv(kVariable);
    if (value != nullptr) before_ = value;
  }
  ~ForcedIsa() override { Force(before_); }
  static void Force(const std::string& value) { ::setenv(kVariable, value.c_str(), 1); }

  static constexpr const char* kVariable = "QAT_FORCE_ISA";
  std::string before_;
};

TEST(Isa, ArePortableFirstAndAscending) {
  const std::vector<Isa>& isas = AvailableIsas();
  EXPECT_EQ(isas.front(), Isa::kPortable);
  EXPECT_TRUE(std::is_sorted(isas.begin(), isas.end()));
}

TEST(Isa, IsTheBestOneUnlessForced) {
  EXPECT_EQ(*ChooseIsa(""), AvailableIsas().back());
  for (Isa isa : AvailableIsas()) EXPECT_EQ(*ChooseIsa(NameOf(isa)), isa);
}

TEST(Isa, RefusesAnUnknownNameWithTheList) {
  const auto isa = ChooseIsa("avx9");
  ASSERT_FALSE(isa.ok());
  EXPECT_EQ(isa.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(isa.error().message.find(
                "QAT_FORCE_ISA is 'avx9', which is no instruction set known here; there are portable"),
            0u)
      << isa.error().message;
}

TEST_F(ForcedIsa, DecidesWhichKernelsRun) {
  const testing::RandomModel random = testing::MakeWideRandomModel(1);
  for (Isa isa : AvailableIsas()) {
    Force(std::string(NameOf(isa)));
    const auto interpreter = testing::Open(random.bytes);
    ASSERT_NE(interpreter, nullptr);
    EXPECT_TRUE(interpreter->KernelNames()[0].ends_with(NameOf(isa))) << interpreter->KernelNames()[0];
  }
}

TEST_F(ForcedIsa, StopsCreateWhereItIsUnknown) {
  Force("sse9");
  const auto model = RunnableFromBytes(testing::MakeWideRandomModel(1).bytes, "test.tflite");
  ASSERT_TRUE(model.ok());
  const auto interpreter = Interpreter::Create(*model);
  ASSERT_FALSE(interpreter.ok());
  EXPECT_EQ(interpreter.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(ForcedIsa, IsOverruledByTheOptions) {
  Force("sse9");
  InterpreterOptions options;
  options.isa = Isa::kPortable;
  const auto interpreter = testing::Open(testing::MakeWideRandomModel(1).bytes, options);
  ASSERT_NE(interpreter, nullptr);
  EXPECT_TRUE(interpreter->KernelNames()[0].ends_with("/portable"));
}

}  // namespace
}  // namespace qat
