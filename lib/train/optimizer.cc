#include "train/optimizer.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/strings.h"
#include "train/vector_clones.h"

namespace qat {
namespace {

constexpr double kBeta1 = 0.9;
constexpr double kBeta2 = 0.999;
constexpr float kEpsilon = 1e-8f;

// One vector per parameter: a moment.
using Slot = std::vector<std::vector<float>>;

void Prepare(Slot& slot, std::span<const TrainableSpan> parameters) {
  if (!slot.empty()) return;
  for (const TrainableSpan& parameter : parameters) slot.emplace_back(parameter.values.size(), 0.0f);
}

void SaveSlot(const std::string& name, const Slot& slot, std::span<const TrainableSpan> parameters,
              TrainerState& state) {
  for (size_t i = 0; i < slot.size(); ++i) {
    state.tensors[StrCat(name, "/", parameters[i].name)] = {{static_cast<int32_t>(slot[i].size())}, slot[i]};
  }
}

Status LoadSlot(const std::string& name, Slot& slot, std::span<const TrainableSpan> parameters,
                const TrainerState& state) {
  slot.clear();
  for (const TrainableSpan& parameter : parameters) {
    const std::string key = StrCat(name, "/", parameter.name);
    const auto found = state.tensors.find(key);
    if (found == state.tensors.end() || found->second.values.size() != parameter.values.size()) {
      return Corrupt(StrCat("tensor '", key, "' is missing or of the wrong size, expected ",
                            parameter.values.size(), " values"));
    }
    slot.push_back(found->second.values);
  }
  return {};
}

// Calls use(begin, end, unit) for each row of a parameter: runs of values in the same unit.
template <class Use>
void ForRows(const TrainableSpan& parameter, const Use& use) {
  const size_t rows = std::max<size_t>(parameter.units.size(), 1);
  const size_t length = parameter.values.size() / rows;
  for (size_t row = 0; row < rows; ++row) {
    use(row * length, (row + 1) * length, parameter.units.empty() ? 1.0f : parameter.units[row]);
  }
}

QAT_VECTOR_CLONES void AdamRow(float* __restrict x, const float* __restrict g, float* __restrict m,
                               float* __restrict v, size_t count, float unit, float rate, float correction,
                               float keep) {
  constexpr auto kNew1 = static_cast<float>(1 - kBeta1);
  constexpr auto kNew2 = static_cast<float>(1 - kBeta2);
  const float scaled_rate = rate * unit;
  for (size_t k = 0; k < count; ++k) {
    const float gradient = unit * g[k];
    m[k] += kNew1 * (gradient - m[k]);
    v[k] += kNew2 * (gradient * gradient - v[k]);
    x[k] = keep * x[k] - scaled_rate * m[k] / (std::sqrt(v[k]) * correction + kEpsilon);
  }
}

QAT_VECTOR_CLONES void SgdRow(float* __restrict x, const float* __restrict g, float* __restrict u,
                              size_t count, float unit, float rate, float decay, float momentum,
                              bool nesterov) {
  const float scaled_decay = decay / unit, scaled_rate = rate * unit;
  for (size_t k = 0; k < count; ++k) {
    const float d = unit * g[k] + scaled_decay * x[k];
    u[k] = momentum * u[k] + d;
    x[k] -= scaled_rate * (nesterov ? d + momentum * u[k] : u[k]);
  }
}

class Adam final : public Optimizer {
 public:
  explicit Adam(double weight_decay) : weight_decay_(weight_decay) {}

  void Step(std::span<const TrainableSpan> parameters, double learning_rate) override {
    Prepare(first_, parameters);
    Prepare(second_, parameters);
    ++step_;
    const auto t = static_cast<double>(step_);
    const auto rate = static_cast<float>(learning_rate / (1 - std::pow(kBeta1, t)));
    const auto correction = static_cast<float>(1 / std::sqrt(1 - std::pow(kBeta2, t)));
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (parameters[i].gradient.empty()) continue;
      const double decay = parameters[i].decays ? learning_rate * weight_decay_ : 0;
      Update(parameters[i], first_[i].data(), second_[i].data(), rate, correction,
             static_cast<float>(1 - decay));
    }
  }

  void Save(std::span<const TrainableSpan> parameters, TrainerState& state) const override {
    state.scalars["adam/step"] = static_cast<double>(step_);
    SaveSlot("adam/m", first_, parameters, state);
    SaveSlot("adam/v", second_, parameters, state);
  }
  Status Load(std::span<const TrainableSpan> parameters, const TrainerState& state) override {
    const auto found = state.scalars.find("adam/step");
    if (found == state.scalars.end()) return Corrupt("number 'adam/step' is missing");
    step_ = static_cast<int64_t>(found->second);
    QAT_RETURN_IF_ERROR(LoadSlot("adam/m", first_, parameters, state));
    return LoadSlot("adam/v", second_, parameters, state);
  }

 private:
  static void Update(const TrainableSpan& parameter, float* m, float* v, float rate, float correction,
                     float keep) {
    float* x = parameter.values.data();
    const float* g = parameter.gradient.data();
    ForRows(parameter, [&](size_t begin, size_t end, float unit) {
      AdamRow(x + begin, g + begin, m + begin, v + begin, end - begin, unit, rate, correction, keep);
    });
  }

  double weight_decay_;
  int64_t step_ = 0;
  Slot first_;
  Slot second_;
};

class Sgd final : public Optimizer {
 public:
  Sgd(double weight_decay, double momentum, bool nesterov)
      : weight_decay_(static_cast<float>(weight_decay)),
        momentum_(static_cast<float>(momentum)),
        nesterov_(nesterov) {}

  void Step(std::span<const TrainableSpan> parameters, double learning_rate) override {
    Prepare(velocity_, parameters);
    const auto rate = static_cast<float>(learning_rate);
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (parameters[i].gradient.empty()) continue;
      const float decay = parameters[i].decays ? weight_decay_ : 0.0f;
      float* x = parameters[i].values.data();
      const float* g = parameters[i].gradient.data();
      float* u = velocity_[i].data();
      ForRows(parameters[i], [&](size_t begin, size_t end, float unit) {
        SgdRow(x + begin, g + begin, u + begin, end - begin, unit, rate, decay, momentum_, nesterov_);
      });
    }
  }

  void Save(std::span<const TrainableSpan> parameters, TrainerState& state) const override {
    SaveSlot("sgd/velocity", velocity_, parameters, state);
  }
  Status Load(std::span<const TrainableSpan> parameters, const TrainerState& state) override {
    return LoadSlot("sgd/velocity", velocity_, parameters, state);
  }

 private:
  float weight_decay_, momentum_;
  bool nesterov_;
  Slot velocity_;
};

}  // namespace

std::unique_ptr<Optimizer> MakeAdam(double weight_decay) { return std::make_unique<Adam>(weight_decay); }
std::unique_ptr<Optimizer> MakeSgd(double weight_decay, double momentum, bool nesterov) {
  return std::make_unique<Sgd>(weight_decay, momentum, nesterov);
}

}  // namespace qat
