// sample_run.h: what a run of 1,000 steps might have logged: one range runs away, one still moves, the others
// have settled.
#ifndef QAT_TESTS_SUPPORT_SAMPLE_RUN_H_
#define QAT_TESTS_SUPPORT_SAMPLE_RUN_H_

#include <cmath>
#include <string>

#include "report/run_record.h"

namespace qat::testing {

inline RunRecord SampleRun(const std::string& name) {
  RunRecord run;
  run.name = name;
  run.scheme = "uint8";
  run.steps = run.last_step = 1000;
  run.batch_size = 64;
  run.ended = true;
  run.quant_delay = 600;
  run.batch_norm_freeze = 800;
  run.best_step = 950;
  run.best_accuracy = 98.25;
  run.curves = {{"loss", {}}, {"training_accuracy", {}}, {"holdout_accuracy", {}}, {"holdout_loss", {}}};
  run.pace = {{"learning_rate", {}}, {"gradient_norm", {}}};
  for (int64_t step = 10; step <= 1000; step += 10) {
    const double part = static_cast<double>(step) / 1000;
    run.curves[0].points.emplace_back(step,
                                      2 * std::exp(-5 * part) + 0.02 * static_cast<double>(step % 30) / 30);
    run.curves[1].points.emplace_back(step, 99 - 80 * std::exp(-8 * part));
    run.pace[0].points.emplace_back(step, 0.002 * std::min(1.0, 20 * part) * (1 - part));
    run.pace[1].points.emplace_back(step,
                                    5 * std::exp(-2 * part) * (1.2 + std::sin(static_cast<double>(step))));
  }
  run.ranges = {{"conv1/filter", {}}, {"conv1", {}}, {"conv2", {}}, {"pool", {}}, {"logits", {}}};
  for (int64_t step = 50; step <= 1000; step += 50) {
    const double part = static_cast<double>(step) / 1000;
    run.curves[2].points.emplace_back(step, 98.5 - 60 * std::exp(-9 * part));
    run.curves[3].points.emplace_back(step, 1.8 * std::exp(-4 * part) + 0.06);
    const double settled = 1 - std::exp(-12 * part);
    run.ranges[0].points.push_back({step, -0.4 * settled, 0.35 * settled});
    run.ranges[1].points.push_back({step, 0, 6 * settled, 0.0004});
    run.ranges[2].points.push_back({step, 0, 10 + 15 * part, 0.002 * part});
    run.ranges[3].points.push_back({step, -3 * settled, 3 * settled, 0});
    const double away = step < 700 ? 10 : 10 * std::exp(4 * (part - 0.7));
    run.ranges[4].points.push_back({step, -away, 1.3 * away, step < 750 ? 0.004 : 0.03});
  }
  run.warnings = {{900, "the range of 'logits' runs away"}};
  return run;
}

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_SAMPLE_RUN_H_
