// workers.h: the processes or threads that train one network together: each computes the gradients of its
// share of every batch, and all make the same update. Processes are joined by what the usual launchers put in
// the environment. No LibTorch in this header.
#ifndef QAT_TRAIN_WORKERS_H_
#define QAT_TRAIN_WORKERS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/expected.h"

namespace qat {

/// Where a process stands among those of its run.
struct WorkerPlace {
  int rank = 0;        ///< rank 0 writes the run
  int size = 1;        ///< processes
  int local_size = 1;  ///< of them on this machine; 1 where the launcher does not say
  std::string address;
  int port = 0;          ///< at which rank 0 listens
  bool threads = false;  ///< ranks are threads of this process (local_workers.h)

  bool alone() const { return size == 1; }
  bool writes() const { return rank == 0; }
};

/// RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT and LOCAL_WORLD_SIZE, as torchrun sets them and PyTorch reads
/// them; without RANK those of Open MPI's mpirun (OMPI_COMM_WORLD_RANK, _SIZE, _LOCAL_SIZE). Without
/// MASTER_ADDR, 127.0.0.1 where all processes are on this machine; without MASTER_PORT, 29500. An agent of
/// torchrun listens at MASTER_PORT itself: then the port after it.
/// None of these: alone. Errors: kInvalidArgument, naming variable and value.
Expected<WorkerPlace> PlaceFromEnvironment();

/// Another process of the run is gone, or does not answer.
class WorkerLost : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Sums over the processes. Every process makes the same calls in the same order; each call waits for all.
/// All processes get the same bytes back. Every call throws WorkerLost.
class Workers {
 public:
  virtual ~Workers() = default;
  /// Waits until all processes are there, at most ten minutes; after three seconds `on_wait` is told for
  /// whom, once. `interrupted` is asked all the while. Both may be empty. Errors: kUnsupported (a build
  /// without Gloo), kInterrupted, kIoError.
  static Expected<std::unique_ptr<Workers>> Join(const WorkerPlace& place,
                                                 const std::function<bool()>& interrupted,
                                                 const std::function<void(const std::string&)>& on_wait);

  const WorkerPlace& place() const { return place_; }
  virtual void Sum(std::span<float> values) = 0;
  virtual void Sum(std::span<double> values) = 0;
  virtual void Minimum(std::span<float> values) = 0;
  /// Those of rank 0.
  virtual void Broadcast(std::span<float> values) = 0;
  /// That of rank 0.
  std::string Broadcast(const std::string& text);
  /// Of each question whether any process says yes, in one message.
  template <size_t N>
  std::array<bool, N> Any(const std::array<bool, N>& here) {
    std::array<float, N> no;
    for (size_t i = 0; i < N; ++i) no[i] = here[i] ? 0 : 1;
    Minimum(no);
    std::array<bool, N> any;
    for (size_t i = 0; i < N; ++i) any[i] = no[i] == 0;
    return any;
  }
  bool Any(bool here) { return Any(std::array{here})[0]; }

 protected:
  explicit Workers(WorkerPlace place) : place_(std::move(place)) {}

 private:
  WorkerPlace place_;
};

/// The part of `count` examples that a process computes: [begin, end). All parts differ by one example at
/// most.
struct WorkerShare {
  int64_t begin = 0;
  int64_t end = 0;
};
WorkerShare ShareOf(const WorkerPlace& place, int64_t count);

}  // namespace qat

#endif  // QAT_TRAIN_WORKERS_H_
