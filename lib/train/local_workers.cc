#include "train/local_workers.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "base/await_change.h"

namespace qat {
namespace {

// Some 200 us. Twice as many made a step of mobilenet_v1, in which threads meet 170 times, no faster.
constexpr int kMostLooks = 8192;

/// Where all wait for one another, and what they show one another meanwhile.
class Meeting {
 public:
  explicit Meeting(int size) : size_(size), shown_(static_cast<size_t>(size)) {}

  /// Returns once all have called it, each with its own `wait`. Throws WorkerLost where one never will.
  void Wait(PatientWait& wait) {
    const uint64_t before = state_.load(std::memory_order_acquire);
    if (Lost(before)) throw Gone();
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size_) {
      arrived_.store(0, std::memory_order_relaxed);
      state_.fetch_add(2, std::memory_order_acq_rel);
      state_.notify_all();
      return;
    }
    const uint64_t now = wait.AwaitChange(state_, before);
    // All may have arrived, and one left since.
    if (now >> 1 == before >> 1) throw Gone();
  }

  void Leave() {
    state_.fetch_or(1, std::memory_order_acq_rel);
    state_.notify_all();
  }

  void Show(int rank, void* values) { shown_[static_cast<size_t>(rank)] = values; }
  template <class T>
  T* ShownBy(int rank) const {
    return static_cast<T*>(shown_[static_cast<size_t>(rank)]);
  }

 private:
  static bool Lost(uint64_t state) { return (state & 1) != 0; }
  WorkerLost Gone() const { return WorkerLost("another thread of the training has ended"); }

  const int size_;
  std::vector<void*> shown_;
  std::atomic<int> arrived_ = 0;
  std::atomic<uint64_t> state_ = 0;  // twice the number of meetings, and 1 where somebody has left
};

class LocalWorkers final : public Workers {
 public:
  LocalWorkers(WorkerPlace place, Meeting& meeting) : Workers(std::move(place)), meeting_(meeting) {}
  ~LocalWorkers() override { meeting_.Leave(); }

  void Sum(std::span<float> values) override {
    Reduce(values, [](float a, float b) { return a + b; });
  }
  void Sum(std::span<double> values) override {
    Reduce(values, [](double a, double b) { return a + b; });
  }
  void Minimum(std::span<float> values) override {
    Reduce(values, [](float a, float b) { return std::min(a, b); });
  }
  void Broadcast(std::span<float> values) override {
    meeting_.Show(place().rank, values.data());
    meeting_.Wait(wait_);
    if (place().rank != 0) std::copy_n(meeting_.ShownBy<float>(0), values.size(), values.data());
    meeting_.Wait(wait_);
  }
  using Workers::Broadcast;

 private:
  // Each computes a part of the result, and writes it to all.
  template <class T, class Operation>
  void Reduce(std::span<T> values, Operation operation) {
    meeting_.Show(place().rank, values.data());
    meeting_.Wait(wait_);
    constexpr int64_t kBlock = 512;
    std::array<T, kBlock> result;
    const WorkerShare own = ShareOf(place(), std::ssize(values));
    for (int64_t begin = own.begin; begin < own.end; begin += kBlock) {
      const int64_t count = std::min(kBlock, own.end - begin);
      std::copy_n(meeting_.ShownBy<T>(0) + begin, count, result.begin());
      for (int rank = 1; rank < place().size; ++rank) {
        const T* other = meeting_.ShownBy<T>(rank) + begin;
        for (int64_t i = 0; i < count; ++i)
          result[static_cast<size_t>(i)] = operation(result[static_cast<size_t>(i)], other[i]);
      }
      for (int rank = 0; rank < place().size; ++rank)
        std::copy_n(result.begin(), count, meeting_.ShownBy<T>(rank) + begin);
    }
    meeting_.Wait(wait_);
  }

  Meeting& meeting_;
  PatientWait wait_{kMostLooks};
};

}  // namespace

void TrainTogether(int size, const std::function<void(std::shared_ptr<Workers>)>& work) {
  Meeting meeting(size);
  const auto workers_of = [&](int rank) {
    WorkerPlace place;
    place.rank = rank;
    place.size = place.local_size = size;
    place.threads = true;
    return std::make_shared<LocalWorkers>(place, meeting);
  };
  std::vector<std::jthread> others;  // joined at the end, whatever happens
  std::shared_ptr<Workers> own = workers_of(0);
  for (int rank = 1; rank < size; ++rank) {
    others.emplace_back([&work, workers = workers_of(rank)]() mutable { work(std::move(workers)); });
  }
  work(std::move(own));
}

}  // namespace qat
