// Batch normalization in layers with a filter, against LibTorch's own operator.
#include <ATen/TensorOperators.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/var_mean.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "train/modules/module.h"
#include "train/tiny.h"

namespace qat {
namespace {

using testing::OneLayer;

struct Normed {
  explicit Normed(Scheme scheme, int32_t bn_convolutions = 2) {
    ModuleOptions options;
    options.precisions = PrecisionsOf(scheme);
    options.bn_convolutions = bn_convolutions;
    const Graph network =
        OneLayer(6, 6, 3, "op = \"conv_2d\"\nfilters = 4\nkernel = 3\nbatch_norm = {momentum = 0.75}\n");
    auto made = MakeModule(LayerNodeOf(network, network.nodes[0]), options);
    QAT_CHECK(made.ok());
    module = *std::move(made);
    parameters = module->parameters();
    for (const int i : {1, 2, 3}) Value(i).detach().copy_(at::randn({4}));
    Value(4).detach().copy_(at::rand({4}) + 0.1);
    statistics().set_batches(1000);  // past the beginning: a batch has the share 1 - momentum
  }
  BatchStatistics& statistics() { return *module->batch_norm()->statistics; }
  at::Tensor& Value(int i) {
    return parameters[static_cast<size_t>(i)].value;
  }  // filter, gamma, beta, mean, variance

  /// The layer without folding, by LibTorch; trains on copies of the moving averages where it trains.
  at::Tensor Unfolded(const at::Tensor& x, bool training, at::Tensor mean, at::Tensor variance) {
    const at::Tensor sums = at::conv2d(x, Value(0), {}, {1, 1}, {1, 1});
    return at::batch_norm(sums, Value(1), Value(2), mean, variance, training, 0.25, 1e-3, false);
  }

  std::unique_ptr<Module> module;
  std::vector<Parameter> parameters;
};

double Largest(const at::Tensor& difference) { return difference.abs().max().item<double>(); }

TEST(BatchNorm, FoldedAndUnfoldedAgree) {
  Normed layer(Scheme::kUInt8);
  const at::Tensor x = at::randn({5, 3, 6, 6});
  const at::Tensor expected = layer.Unfolded(x, false, layer.Value(3), layer.Value(4));
  EXPECT_LT(Largest(layer.module->Forward({x}, {}) - expected), 1e-5);
  EXPECT_LT(Largest(layer.module->Forward({x}, {.training = true, .freeze_batch_norm = true}) - expected),
            1e-5);
}

// Rounding on or off, the batch normalizes and the moving averages move alike: with rounding, the sums of the
// folded filter are corrected back to the batch. Rounding itself is what is left of the difference.
TEST(BatchNorm, CorrectionBringsTheBatchBack) {
  for (const Scheme scheme : {Scheme::kUInt8, Scheme::kInt8}) {
    Normed layer(scheme);
    const at::Tensor x = at::randn({64, 3, 6, 6});
    at::Tensor mean = layer.Value(3).clone();
    at::Tensor variance = layer.Value(4).clone();
    const at::Tensor expected = layer.Unfolded(x, true, mean, variance);
    const at::Tensor before_mean = layer.Value(3).clone();
    const at::Tensor before_variance = layer.Value(4).clone();
    const at::Tensor plain = layer.module->Forward({x}, {.training = true, .observe = true});
    EXPECT_LT(Largest(plain - expected), 1e-5);
    EXPECT_LT(Largest(layer.Value(3) - mean), 1e-6);
    EXPECT_LT(Largest(layer.Value(4) - variance), 1e-5);
    layer.Value(3).copy_(before_mean);
    layer.Value(4).copy_(before_variance);
    const at::Tensor rounded =
        layer.module->Forward({x}, {.training = true, .observe = true, .fake_quantize = true});
    EXPECT_LT(Largest(layer.Value(3) - mean), 1e-6);
    EXPECT_LT(Largest(layer.Value(4) - variance), 1e-5);
    const double range = expected.max().item<double>() - expected.min().item<double>();
    EXPECT_LT(Largest(rounded - expected), 0.03 * range) << NameOf(scheme);
    EXPECT_GT(Largest(rounded - expected), 0) << "something was rounded";
  }
}

// Filter values on the deployed grid, without the factor of folding, from the definition: folded, rounded to
// steps of the whole filter or of each channel, unfolded.
at::Tensor OnTheDeployedGrid(const at::Tensor& filter, const at::Tensor& factor, Scheme scheme) {
  const at::Tensor folded = filter * factor.view({4, 1, 1, 1});
  at::Tensor scale, least;
  if (scheme == Scheme::kInt8) {
    scale = folded.abs().amax({1, 2, 3}, true) / 127;
    least = -127 * scale;
  } else {
    const double low = std::min(folded.min().item<double>(), 0.0),
                 high = std::max(folded.max().item<double>(), 0.0);
    const double step = (high - low) / 254;
    scale = at::full({1, 1, 1, 1}, step);
    least = at::full({1, 1, 1, 1}, -std::round(-low / step) * step);
  }
  return (((folded - least) / scale).round() * scale + least) / factor.view({4, 1, 1, 1});
}

// One convolution: the batch normalizes the sums of the deployed filter.
TEST(BatchNorm, OneConvolutionNormalizesTheSumsOfTheDeployedFilter) {
  for (const Scheme scheme : {Scheme::kUInt8, Scheme::kInt8}) {
    Normed layer(scheme, /*bn_convolutions=*/1);
    const at::Tensor x = at::randn({64, 3, 6, 6});
    const at::Tensor factor = layer.Value(1) / (layer.Value(4) + 1e-3).sqrt();
    const at::Tensor filter = OnTheDeployedGrid(layer.Value(0), factor, scheme).detach();
    at::Tensor mean = layer.Value(3).clone(), variance = layer.Value(4).clone();
    const at::Tensor expected = at::batch_norm(at::conv2d(x, filter, {}, {1, 1}, {1, 1}), layer.Value(1),
                                               layer.Value(2), mean, variance, true, 0.25, 1e-3, false);
    // The output is rounded, too, to 255 steps.
    const double step = (expected.max().item<double>() - expected.min().item<double>()) / 255;
    const at::Tensor seen =
        layer.module->Forward({x}, {.training = true, .observe = true, .fake_quantize = true});
    EXPECT_LT(Largest(seen - expected), 0.51 * step) << NameOf(scheme);
    EXPECT_LT(Largest(layer.Value(3) - mean), 1e-5);
    EXPECT_LT(Largest(layer.Value(4) - variance), 1e-4);
  }
}

// What is trained is what is deployed: where the moving statistics are those of the batch, folding them
// changes nothing.
TEST(BatchNorm, OneConvolutionTrainsWhatIsDeployed) {
  for (const Scheme scheme : {Scheme::kUInt8, Scheme::kInt8}) {
    Normed layer(scheme, /*bn_convolutions=*/1);
    const at::Tensor x = at::randn({64, 3, 6, 6});
    at::Tensor trained;
    // The grid of one scale per filter follows the statistics, and they the grid: both settle.
    for (int i = 0; i < 20; ++i) {
      layer.statistics().StartNoting();
      layer.module->Forward(
          {x}, {.training = true, .observe = true, .fake_quantize = true, .note_statistics = true});
      layer.statistics().TakeNoted();
      trained =
          layer.module->Forward({x}, {.training = true, .fake_quantize = true, .note_statistics = true});
    }
    const at::Tensor deployed =
        layer.module->Forward({x}, {.training = true, .fake_quantize = true, .freeze_batch_norm = true});
    const double range = deployed.max().item<double>() - deployed.min().item<double>();
    // Variances are unbiased in one place, by 1 in 2,304 values; the outputs are rounded to 255 steps.
    EXPECT_LT(Largest(trained - deployed), 1.01 * range / 255 + 1e-3 * range) << NameOf(scheme);
  }
}

// With one scale per filter, a channel of few steps is mostly rounding.
TEST(BatchNorm, ConvolvesTwiceWhereAChannelIsCoarse) {
  for (const Scheme scheme : {Scheme::kUInt8, Scheme::kInt8}) {
    for (const float least : {1.0f, 0.01f}) {
      const at::Tensor x = at::randn({64, 3, 6, 6}), filter = at::rand({4, 3, 3, 3}) + 0.5;
      const at::Tensor gammas = at::tensor({least, 1.0f, 1.0f, 1.0f});
      std::vector<at::Tensor> outputs;  // by itself, with one, with two
      for (const int32_t convolutions : {0, 1, 2}) {
        Normed layer(scheme, convolutions);
        layer.Value(0).detach().copy_(filter);
        for (const int i : {1, 2, 3, 4})
          layer.Value(i).detach().copy_(i == 1 ? gammas : at::full({4}, i == 4 ? 1.0 : 0.0));
        layer.module->Forward({x}, {.training = true, .observe = true});
        outputs.push_back(
            layer.module->Forward({x}, {.training = true, .observe = true, .fake_quantize = true}));
      }
      const bool twice = scheme == Scheme::kUInt8 && least < 1;
      EXPECT_EQ(Largest(outputs[0] - outputs[twice ? 2 : 1]), 0) << NameOf(scheme) << ", " << least;
      EXPECT_NE(Largest(outputs[0] - outputs[twice ? 1 : 2]), 0) << NameOf(scheme) << ", " << least;
    }
  }
}

TEST(BatchNorm, OneConvolutionSurvivesChannelsThatFoldingTakesToZero) {
  for (const Scheme scheme : {Scheme::kUInt8, Scheme::kInt8}) {
    Normed layer(scheme, /*bn_convolutions=*/1);
    const at::Tensor gammas = at::tensor({0.0f, 1e-30f, -1.5f, 1.0f});
    layer.Value(1).detach().copy_(gammas);
    layer.Value(4).detach().copy_(at::tensor({1.0f, 1.0f, 1e-30f, 0.0f}));
    const at::Tensor x = at::randn({16, 3, 6, 6});
    const at::Tensor y =
        layer.module->Forward({x}, {.training = true, .observe = true, .fake_quantize = true});
    EXPECT_TRUE(at::isfinite(y).all().item<bool>());
    y.mul(at::randn({16, 4, 6, 6})).sum().backward();
    for (const int i : {0, 1, 2}) {
      EXPECT_TRUE(at::isfinite(layer.Value(i).grad()).all().item<bool>())
          << layer.parameters[static_cast<size_t>(i)].name;
    }
    EXPECT_NE(layer.Value(1).grad()[0].item<float>(), 0) << "a gamma of 0 can come back";
  }
}

// LibTorch takes the share of each batch as its momentum.
TEST(BatchNorm, LearnsFromTheFirstBatchOnWithoutAnInitialValue) {
  for (const bool rounded : {false, true}) {
    Normed layer(Scheme::kInt8);
    layer.statistics().set_batches(0);
    at::Tensor mean = at::zeros({4}), variance = at::ones({4});
    for (int t = 0; t < 40; ++t) {
      const at::Tensor x = at::randn({16, 3, 6, 6}) + t;
      const double share = 1 - std::min(0.75, t / (t + 9.0));
      at::batch_norm(at::conv2d(x, layer.Value(0), {}, {1, 1}, {1, 1}), layer.Value(1), layer.Value(2), mean,
                     variance, true, share, 1e-3, false);
      layer.module->Forward({x}, {.training = true, .observe = true, .fake_quantize = rounded});
      ASSERT_LT(Largest(layer.Value(3) - mean), 1e-4 * (t + 1)) << t;
      ASSERT_LT(Largest(layer.Value(4) / variance - 1), 1e-4) << t;
    }
    EXPECT_EQ(layer.statistics().batches(), 40);
  }
}

TEST(BatchStatistics, FollowTheRunWhateverTheMomentum) {
  // The share that each of 135 batches has in the end; three epochs of 4,000 examples.
  for (const double momentum : {0.9, 0.99, 0.999}) {
    std::vector<double> shares;
    BatchStatistics statistics(1, momentum);
    for (int t = 0; t < 135; ++t) {
      for (double& share : shares) share *= 1 - statistics.NextShare();
      shares.push_back(statistics.NextShare());
      statistics.CountBatch();
    }
    EXPECT_NEAR(std::accumulate(shares.begin(), shares.end(), 0.0), 1, 1e-12)
        << "nothing of an initial value";
    EXPECT_GT(std::accumulate(shares.end() - 45, shares.end(), 0.0), 0.95)
        << "the last third; momentum " << momentum;
  }
  BatchStatistics late(1, 0.99);
  late.set_batches(891);
  EXPECT_DOUBLE_EQ(late.NextShare(), 1 - 0.99);
  late.set_batches(890);
  EXPECT_GT(late.NextShare(), 0.01);
}

TEST(BatchNorm, IsHarmlessBeforeItsFirstBatch) {
  const Graph network = OneLayer(6, 6, 3, "op = \"conv_2d\"\nfilters = 4\nkernel = 3\nbatch_norm = true\n");
  const auto made = MakeModule(LayerNodeOf(network, network.nodes[0]), {});
  const at::Tensor x = at::randn({2, 3, 6, 6});
  const at::Tensor sums = at::conv2d(x, (*made)->parameters()[0].value, {}, {1, 1}, {1, 1});
  EXPECT_LT(Largest((*made)->Forward({x}, {}) - sums / std::sqrt(1.001)), 1e-5);
}

TEST(BatchNorm, NotesTheBatchBesideItsAverages) {
  for (const bool rounded : {false, true}) {
    Normed layer(Scheme::kInt8);
    const at::Tensor mean = layer.Value(3).clone(), variance = layer.Value(4).clone();
    const at::Tensor x = at::randn({16, 3, 6, 6}), y = at::randn({16, 3, 6, 6});
    layer.statistics().StartNoting();
    for (const at::Tensor& batch : {x, y}) {
      layer.module->Forward({batch}, {.training = true, .fake_quantize = rounded, .note_statistics = true});
    }
    EXPECT_EQ(Largest(layer.Value(3) - mean), 0);
    EXPECT_EQ(Largest(layer.Value(4) - variance), 0);
    EXPECT_EQ(layer.statistics().batches(), 1000);
    const auto seen = [&](const at::Tensor& batch) {
      return at::var_mean(at::conv2d(batch, layer.Value(0), {}, {1, 1}, {1, 1}), {0, 2, 3},
                          /*unbiased=*/true);
    };
    const auto [variance_x, mean_x] = seen(x);
    const auto [variance_y, mean_y] = seen(y);
    const at::Tensor m = ((mean_x + mean_y) / 2 - mean) / (variance + 1e-3).sqrt();
    const at::Tensor d = (((variance_x + variance_y) / 2 + 1e-3) / (variance + 1e-3)).sqrt() - 1;
    EXPECT_NEAR(layer.statistics().Gap(1e-3), (m * m + d * d).mean().sqrt().item<double>(), 1e-5);
    layer.statistics().TakeNoted();
    EXPECT_LT(layer.statistics().Gap(1e-3), 1e-6);
    EXPECT_LT(Largest(layer.Value(3) - (mean_x + mean_y) / 2), 1e-5);
  }
}

TEST(BatchNorm, TakesABatchOfOneValue) {
  const Graph network = OneLayer(1, 1, 3, "op = \"fully_connected\"\nunits = 4\nbatch_norm = true\n");
  const auto rounded = MakeModule(LayerNodeOf(network, network.nodes[0]), {});
  const at::Tensor y =
      (*rounded)->Forward({at::randn({1, 3})}, {.training = true, .observe = true, .fake_quantize = true});
  EXPECT_TRUE(at::isfinite(y).all().item<bool>());
  const auto made = MakeModule(LayerNodeOf(network, network.nodes[0]), {});
  (*made)->Forward({at::randn({1, 3})}, {.training = true});
  for (const Parameter& parameter : (*made)->parameters()) {
    EXPECT_TRUE(at::isfinite(parameter.value).all().item<bool>()) << parameter.name;
  }
}

TEST(BatchNorm, GradientsReachEveryLearnedParameter) {
  for (const bool frozen : {false, true}) {
    for (const bool one_convolution : {false, true}) {
      Normed layer(Scheme::kInt8, one_convolution);
      const at::Tensor x = at::randn({8, 3, 6, 6});
      const at::Tensor target = at::randn({8, 4, 6, 6});
      const ForwardContext context = {
          .training = true, .observe = true, .fake_quantize = true, .freeze_batch_norm = frozen};
      layer.module->Forward({x}, context).mul(target).sum().backward();
      for (const int i : {0, 1, 2}) EXPECT_GT(Largest(layer.Value(i).grad()), 0) << layer.parameters[i].name;
      for (const int i : {3, 4}) EXPECT_FALSE(layer.Value(i).grad().defined()) << layer.parameters[i].name;
    }
  }
}

}  // namespace
}  // namespace qat
