// threads.h: how many threads LibTorch computes with.
#ifndef QAT_TRAIN_THREADS_H_
#define QAT_TRAIN_THREADS_H_

#include <cstdint>

namespace qat {

/// Gives LibTorch `threads` threads (0: all cores) and asks for deterministic algorithms. A BLAS with a pool
/// of its own (Debian's OpenBLAS) is kept to the calling thread: its spinning threads take the cores from
/// LibTorch's, which cost half of the speed on two cores, and its number of threads would decide the order of
/// sums. Freed memory stays with the process: a step needs the buffers of the one before.
/// Throws    std::bad_alloc where there is no memory for the buffers of the BLAS, which would wait for it
/// forever.
void ConfigureThreads(int threads);

/// How many threads train together, each with a share of every batch and with threads / ranks of LibTorch's
/// own. As many as there are, but none with fewer than 8 examples: below, what is done once for each costs
/// more than it gains.
int RanksOf(int threads, int32_t batch_size);
/// The threads that ConfigureThreads gives for `threads`.
int ThreadCount(int threads);
/// Of the calling thread alone.
void SetOwnThreads(int threads);

/// The calling thread computes with this many while the object lives; 0: as it is.
class MoreThreads {
 public:
  explicit MoreThreads(int threads);
  ~MoreThreads();
  MoreThreads(const MoreThreads&) = delete;
  MoreThreads& operator=(const MoreThreads&) = delete;

 private:
  int before_ = 0;
};

}  // namespace qat

#endif  // QAT_TRAIN_THREADS_H_
