// With d = (v - w) / scale in steps, G = gram / mean(diagonal) and p = pull / (scale * mean(diagonal)):
//   loss(V) = dᵀ G d - 2 dᵀ p + lambda * sum(1 - |2h - 1|^beta),
//   h = clip(1.2 * sigmoid(V) - 0.1, 0, 1),   d = floor(w / scale) + h - w / scale
//   dloss/dV = (2 (G d - p) - lambda * 2 beta |2h - 1|^(beta - 1) sign(2h - 1))
//              * 1.2 * sigmoid(V) * (1 - sigmoid(V)), 0 where h is clipped
#include "calibrate/adaround.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/check.h"

namespace qat {
namespace {

constexpr size_t kLanes = 8;  // channels that share one pass over the matrix
constexpr int kSweeps = 50;   // of single moves; they end earlier, where none lowers the error
constexpr int kSteps = 600;
constexpr double kMostWork = 2e11;  // multiplications of Adam's steps for one layer: some 20 s of one core
constexpr int kFreeSteps = 120;     // before h is pulled to its ends
constexpr float kRate = 0.02f;
constexpr float kLambda = 0.02f;
constexpr float kFirstBeta = 20, kLastBeta = 2;
constexpr float kStretch = 1.2f, kShift = -0.1f;  // of the sigmoid: it reaches 0 and 1
constexpr int kGrids = 11;  // of GridOfLeastError: ranges of 1, 0.95, …, 0.5 of the largest

/// Of kLanes channels, the weights of one place side by side.
using Lanes = std::array<float, kLanes>;

/// product = matrix * d.
void Multiply(const std::vector<float>& matrix, size_t depth, const std::vector<Lanes>& d,
              std::vector<Lanes>& product) {
  for (size_t i = 0; i < depth; ++i) {
    Lanes sum = {};
    const float* row = &matrix[i * depth];
    for (size_t j = 0; j < depth; ++j) {
      for (size_t lane = 0; lane < kLanes; ++lane) sum[lane] += row[j] * d[j][lane];
    }
    product[i] = sum;
  }
}

float Sigmoid(float x) { return 1 / (1 + std::exp(-x)); }
float SoftRounding(float sigmoid) { return std::clamp(kStretch * sigmoid + kShift, 0.0f, 1.0f); }

class Rounding {
 public:
  explicit Rounding(const InputMoments& moments) : depth_(moments.depth), gram_(moments.gram) {
    double diagonal = 0;
    for (size_t i = 0; i < depth_; ++i) diagonal += gram_[i * depth_ + i];
    mean_ = diagonal / static_cast<double>(depth_);
    for (float& value : gram_) value = mean_ > 0 ? static_cast<float>(value / mean_) : 0;
  }

  /// A pull in units of G d, of weights with this scale.
  float PullInSteps(float pull, float scale) const {
    return mean_ > 0 ? static_cast<float>(pull / (mean_ * scale)) : 0;
  }

  /// `steps` are weights in steps of their scale, `pull` is p, of up to kLanes channels; h of each. Where
  /// `fixed` is a number, it is v - w in steps of a weight that is not free.
  std::vector<Lanes> Run(const std::vector<Lanes>& steps, const std::vector<Lanes>& pull,
                         const std::vector<Lanes>& fixed) {
    std::vector<Lanes> v(depth_), d(depth_), gradient(depth_), mean(depth_), square(depth_), h(depth_);
    for (size_t i = 0; i < depth_; ++i) {
      for (size_t lane = 0; lane < kLanes; ++lane) {
        const float fraction = steps[i][lane] - std::floor(steps[i][lane]);
        const float sigmoid = (fraction - kShift) / kStretch;
        v[i][lane] = std::log(sigmoid / (1 - sigmoid));
      }
    }
    for (int step = 0; step < kSteps; ++step) {
      for (size_t i = 0; i < depth_; ++i) {
        for (size_t lane = 0; lane < kLanes; ++lane) {
          const float fraction = steps[i][lane] - std::floor(steps[i][lane]);
          d[i][lane] =
              std::isnan(fixed[i][lane]) ? SoftRounding(Sigmoid(v[i][lane])) - fraction : fixed[i][lane];
        }
      }
      Multiply(gram_, depth_, d, gradient);
      for (size_t i = 0; i < depth_; ++i) {
        for (size_t lane = 0; lane < kLanes; ++lane) gradient[i][lane] -= pull[i][lane];
      }
      Descend(step, gradient, v, mean, square);
    }
    for (size_t i = 0; i < depth_; ++i) {
      for (size_t lane = 0; lane < kLanes; ++lane) h[i][lane] = SoftRounding(Sigmoid(v[i][lane]));
    }
    return h;
  }

  /// Moves weights of one channel by an integer, each as long as that lowers the error; `off` are v - w in
  /// steps, `pull` is p.
  /// `may_move(i, by)` says what the grid allows.
  template <class MayMove>
  void Polish(std::vector<int32_t>& integers, const std::vector<float>& off, const std::vector<float>& pull,
              const MayMove& may_move) const {
    std::vector<float> slope(depth_);  // half of the error's
    for (size_t i = 0; i < depth_; ++i) {
      double sum = -double{pull[i]};
      for (size_t j = 0; j < depth_; ++j) sum += double{gram_[i * depth_ + j]} * off[j];
      slope[i] = static_cast<float>(sum);
    }
    bool moved = true;
    for (int sweep = 0; sweep < kSweeps && moved; ++sweep) {
      moved = false;
      for (size_t i = 0; i < depth_; ++i) {
        const float curve = gram_[i * depth_ + i];
        const int32_t by = slope[i] > 0 ? -1 : 1;
        // The error changes by curve - 2 |slope|; rounding of the slope must not make a weight swing.
        if (!(2 * std::abs(slope[i]) > curve * 1.0001f) || curve <= 0 || !may_move(i, by)) continue;
        integers[i] += by;
        for (size_t j = 0; j < depth_; ++j) slope[j] += static_cast<float>(by) * gram_[i * depth_ + j];
        moved = true;
      }
    }
  }

 private:
  /// One step of Adam on V; `gradient` is G d - p.
  void Descend(int step, const std::vector<Lanes>& gradient, std::vector<Lanes>& v, std::vector<Lanes>& mean,
               std::vector<Lanes>& square) const {
    constexpr float kMeanDecay = 0.9f, kSquareDecay = 0.999f, kLeast = 1e-8f;
    const float way = static_cast<float>(step - kFreeSteps) / (kSteps - kFreeSteps);
    const float beta = kLastBeta + (kFirstBeta - kLastBeta) * 0.5f * (1 + std::cos(way * 3.14159265f));
    const float lambda = step < kFreeSteps ? 0 : kLambda;
    const float mean_bias = 1 - std::pow(kMeanDecay, static_cast<float>(step + 1));
    const float square_bias = 1 - std::pow(kSquareDecay, static_cast<float>(step + 1));
    for (size_t i = 0; i < depth_; ++i) {
      for (size_t lane = 0; lane < kLanes; ++lane) {
        const float sigmoid = Sigmoid(v[i][lane]);
        const float stretched = kStretch * sigmoid + kShift;
        const bool clipped = stretched <= 0 || stretched >= 1;
        float slope = 2 * gradient[i][lane];
        if (lambda > 0 && !clipped) {
          const float off = 2 * stretched - 1;
          const float pull = 2 * beta * std::pow(std::abs(off), beta - 1);
          slope -= lambda * (off < 0 ? -pull : pull);
        }
        const float g = clipped ? 0 : slope * kStretch * sigmoid * (1 - sigmoid);
        mean[i][lane] = kMeanDecay * mean[i][lane] + (1 - kMeanDecay) * g;
        square[i][lane] = kSquareDecay * square[i][lane] + (1 - kSquareDecay) * g * g;
        v[i][lane] -=
            kRate * (mean[i][lane] / mean_bias) / (std::sqrt(square[i][lane] / square_bias) + kLeast);
      }
    }
  }

  size_t depth_;
  double mean_ = 0;
  std::vector<float> gram_;
};

std::vector<float> RealsOf(std::span<const int32_t> integers, QuantizationParams params) {
  std::vector<float> reals;
  for (const int32_t integer : integers) reals.push_back(Dequantize(integer, params));
  return reals;
}

/// One channel's weights and their nearest integers on its grid.
struct Channel {
  Channel(std::span<const float> own, const RoundingGrid& on) : weights(own), grid(on), stays(own.size()) {
    for (const float weight : own) nearest.push_back(QuantizeFakeQuant(weight, grid.params, grid.limits));
    const auto [least, largest] = std::minmax_element(own.begin(), own.end());
    for (const auto& end : {least, largest}) {
      const auto i = static_cast<size_t>(end - own.begin());
      stays[i] = nearest[i] == grid.limits.quant_min || nearest[i] == grid.limits.quant_max;
    }
  }

  /// v - w, in steps, of a weight that stays or has one integer to go to, `steps` beyond the grid; else NaN.
  float FixedOffset(size_t i, float steps) const {
    const bool inside = Rounded(i, steps, false) != Rounded(i, steps, true);
    return inside ? std::numeric_limits<float>::quiet_NaN()
                  : static_cast<float>(nearest[i] - grid.params.zero_point) - steps;
  }

  int32_t Rounded(size_t i, float steps, bool up) const {
    if (stays[i]) return nearest[i];
    const int32_t zero_point = grid.params.zero_point;
    const auto least = static_cast<float>(grid.limits.quant_min - zero_point);
    const auto largest = static_cast<float>(grid.limits.quant_max - zero_point);
    return static_cast<int32_t>(std::clamp(std::floor(steps) + (up ? 1.0f : 0.0f), least, largest)) +
           zero_point;
  }

  std::span<const float> weights;
  RoundingGrid grid;
  std::vector<int32_t> nearest;
  std::vector<bool> stays;
};

}  // namespace

double SumError(const InputMoments& moments, size_t channel, std::span<const float> w,
                std::span<const float> v) {
  double sum = 0;
  for (size_t i = 0; i < moments.depth; ++i) {
    const double off = double{v[i]} - w[i];
    double row = moments.pull.empty() ? 0 : -2 * double{moments.pull[channel * moments.depth + i]};
    for (size_t j = 0; j < moments.depth; ++j)
      row += double{moments.gram[i * moments.depth + j]} * (double{v[j]} - w[j]);
    sum += row * off;
  }
  return sum;
}

std::vector<int32_t> AdaRound(const InputMoments& moments, std::span<const float> weights,
                              std::span<const RoundingGrid> grids, const BetweenChannels& between) {
  const size_t depth = moments.depth, channels = weights.size() / depth;
  QAT_CHECK(weights.size() == channels * depth && (grids.size() == channels || grids.size() == 1));
  QAT_CHECK(moments.pull.empty() || moments.pull.size() == weights.size());
  Rounding rounding(moments);
  const bool descends =
      kSteps * static_cast<double>(depth) * static_cast<double>(weights.size()) <= kMostWork;
  std::vector<int32_t> integers(weights.size());
  for (size_t first = 0; first < channels; first += kLanes) {
    if (between && !between(first)) return {};
    const size_t lanes = std::min(kLanes, channels - first);
    std::vector<Lanes> steps(depth), pulls(depth), fixed(depth, Lanes{});
    std::vector<Channel> all;
    for (size_t lane = 0; lane < lanes; ++lane) {
      const auto own = weights.subspan((first + lane) * depth, depth);
      all.emplace_back(own, grids[grids.size() == 1 ? 0 : first + lane]);
      const float scale = all[lane].grid.params.scale;
      for (size_t i = 0; i < depth; ++i) {
        steps[i][lane] = own[i] / scale;
        fixed[i][lane] = all[lane].FixedOffset(i, steps[i][lane]);
        if (!moments.pull.empty())
          pulls[i][lane] = rounding.PullInSteps(moments.pull[(first + lane) * depth + i], scale);
      }
    }
    const std::vector<Lanes> h = descends ? rounding.Run(steps, pulls, fixed) : steps;
    for (size_t lane = 0; lane < lanes; ++lane) {
      const Channel& channel = all[lane];
      const auto [params, limits] = channel.grid;
      std::vector<int32_t> chosen = channel.nearest;
      if (descends) {
        std::vector<int32_t> adapted;
        for (size_t i = 0; i < depth; ++i)
          adapted.push_back(channel.Rounded(i, steps[i][lane], h[i][lane] >= 0.5f));
        if (SumError(moments, first + lane, channel.weights, RealsOf(adapted, params)) <
            SumError(moments, first + lane, channel.weights, RealsOf(chosen, params)))
          chosen = adapted;
      }
      std::vector<float> off, pull;
      for (size_t i = 0; i < depth; ++i) {
        off.push_back(static_cast<float>(chosen[i] - params.zero_point) - steps[i][lane]);
        pull.push_back(pulls[i][lane]);
      }
      rounding.Polish(chosen, off, pull, [&, limits = limits](size_t i, int32_t by) {
        return !channel.stays[i] && chosen[i] + by >= limits.quant_min && chosen[i] + by <= limits.quant_max;
      });
      std::copy(chosen.begin(), chosen.end(),
                integers.begin() + static_cast<std::ptrdiff_t>((first + lane) * depth));
    }
  }
  return integers;
}

RoundingGrid GridOfLeastError(const InputMoments& moments, std::span<const float> weights,
                              QuantizedLimits limits) {
  float largest = 0;
  for (const float weight : weights) largest = std::max(largest, std::abs(weight));
  RoundingGrid best;
  double least = std::numeric_limits<double>::infinity();
  for (int k = 0; k < kGrids; ++k) {
    const float reach = largest * (1 - 0.05f * static_cast<float>(k));
    const RoundingGrid grid = {NudgedParams({-reach, reach}, limits), limits};
    double error = 0;
    for (size_t i = 0; i < weights.size(); ++i) {
      const int32_t nearest = QuantizeFakeQuant(weights[i], grid.params, limits);
      const double off = double{Dequantize(nearest, grid.params)} - weights[i];
      error += double{moments.gram[i * moments.depth + i]} * off * off;
    }
    if (error < least) least = error, best = grid;
  }
  return best;
}

}  // namespace qat
