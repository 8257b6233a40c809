// evaluate.h: accuracy (of classifiers) and loss of a network on labelled images, while it trains.
#ifndef QAT_TRAIN_EVALUATE_H_
#define QAT_TRAIN_EVALUATE_H_

#include <cstdint>
#include <optional>
#include <span>

#include "checkpoint/merit.h"
#include "contract/contract.h"
#include "data/dataset.h"
#include "report/answer_facts.h"
#include "train/network.h"
#include "train/output_counts.h"

namespace qat {

/// The answers themselves, counted: of classes, or of real numbers.
struct Answers {
  ClassFacts classes;
  std::optional<NumberFacts> numbers;
};

/// Runs the examples `indices` of `dataset` through the network: dropout off, ranges still. `answers`, where
/// given, is filled too, and so is `counts`. Errors: those of reading.
Expected<Evaluation> Evaluate(Network& network, const Contract& contract, const Dataset& dataset,
                              std::span<const int32_t> indices, bool fake_quantize,
                              Answers* answers = nullptr, OutputCounts* counts = nullptr);

}  // namespace qat

#endif  // QAT_TRAIN_EVALUATE_H_
