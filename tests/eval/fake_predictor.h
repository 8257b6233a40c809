// fake_predictor.h: a predictor whose answers the test chooses, and which counts what is asked of it.
#ifndef QAT_TESTS_EVAL_FAKE_PREDICTOR_H_
#define QAT_TESTS_EVAL_FAKE_PREDICTOR_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "data/dataset.h"
#include "predict/predictor.h"

namespace qat::testing {

/// The label of an image is its first byte. `order` (may be null) collects the names of those that Invoke.
class FakePredictor : public Predictor {
 public:
  explicit FakePredictor(std::string name, Contract contract, std::vector<std::string>* order = nullptr)
      : name_(std::move(name)), contract_(std::move(contract)), order_(order) {}

  const std::string& name() const override { return name_; }
  std::string kind() const override { return "tflite"; }
  std::string type() const override { return "uint8"; }
  const Contract& contract() const override { return contract_; }

  Expected<Predictions> Predict(std::span<const uint8_t> images, int64_t count) override {
    Predictions predictions;
    predictions.classes = 10;
    for (int64_t i = 0; i < count; ++i) {
      predictions.labels.push_back(images[static_cast<size_t>(i * contract_.input().ImageSize())]);
      predictions.scores.insert(predictions.scores.end(), 10, 0.0f);
    }
    return predictions;
  }
  Status Load(std::span<const uint8_t> image) override {
    loaded_ = image[0];
    return {};
  }
  Status Invoke() override {
    if (order_ != nullptr) order_->push_back(name_);
    invoked.push_back(loaded_);
    if (fail) return Numerical("output 3 is NaN");
    return {};
  }

  std::vector<int> invoked;  ///< first byte of the image that was loaded at each Invoke
  bool fail = false;

 private:
  std::string name_;
  Contract contract_;
  std::vector<std::string>* order_;
  int loaded_ = -1;
};

inline Contract TinyContract() { return {1, 2, 1, {0}, {255}, {}}; }

/// Images [count, 1, 2, 1] whose first byte is the index modulo 10, which is the label too.
inline Dataset TinyDataset(int count) {
  Dataset dataset;
  dataset.name = "tiny";
  dataset.input().height = 1;
  dataset.input().width = 2;
  dataset.input().channels = 1;
  for (int i = 0; i < count; ++i) {
    dataset.images.insert(dataset.images.end(), {static_cast<uint8_t>(i % 10), 0});
    dataset.labels.push_back(i % 10);
  }
  return dataset;
}

}  // namespace qat::testing

#endif  // QAT_TESTS_EVAL_FAKE_PREDICTOR_H_
