// tiny_run.h: whole runs on a tiny network, and what is on disk afterwards.
#ifndef QAT_TESTS_TRAIN_TINY_RUN_H_
#define QAT_TESTS_TRAIN_TINY_RUN_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "base/file.h"
#include "support/test_util.h"
#include "train/tiny.h"
#include "train/trainer.h"

namespace qat::testing {

inline Expected<TrainResult> RunTiny(const TrainConfig& config, const std::string& run, bool resume = false,
                                     const TrainCallbacks& callbacks = {}) {
  static const Dataset train = Quarters(300, 1);
  static const Dataset test = Quarters(80, 2);
  static const Graph network = Parsed(kTinySpec);
  return Train(network, config, train, test, run, {resume, nullptr}, callbacks);
}

// Every file of a run but the event files, which hold wall times.
inline std::map<std::string, Bytes> Files(const std::string& run) {
  std::map<std::string, Bytes> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(run)) {
    const std::string name = std::filesystem::relative(entry.path(), run).string();
    if (entry.is_regular_file() && !name.starts_with("events"))
      files[name] = *ReadFile(entry.path().string());
  }
  return files;
}

inline void ExpectSameRun(const std::string& a, const std::string& b) {
  const auto left = Files(a);
  const auto right = Files(b);
  for (const auto& [name, bytes] : left) {
    ASSERT_TRUE(right.contains(name)) << name << " is missing";
    EXPECT_TRUE(right.at(name) == bytes) << name << " differs";
  }
  EXPECT_EQ(left.size(), right.size());
}

// Interrupts after a step, once.
inline TrainCallbacks InterruptAt(int64_t step) {
  auto now = std::make_shared<int64_t>(0);
  return {.on_step = [now](const TrainProgress& progress) { *now = progress.step; },
          .interrupted = [now, step] { return *now == step; }};
}

inline Graph TinyNormed(const std::string& momentum) {
  std::string text = kTinySpec;
  text.replace(text.find("stride = 2"), 10, "stride = 2\nbatch_norm = {momentum = " + momentum + "}");
  return Parsed(text);
}

}  // namespace qat::testing

#endif  // QAT_TESTS_TRAIN_TINY_RUN_H_
