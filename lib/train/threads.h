// threads.h: how many threads LibTorch computes with.
#ifndef QAT_TRAIN_THREADS_H_
#define QAT_TRAIN_THREADS_H_

namespace qat {

/// Gives LibTorch `threads` threads (0: all cores) and asks for deterministic algorithms. A BLAS with a pool
/// of its own (Debian's OpenBLAS) is kept to the calling thread: its spinning threads take the cores from
/// LibTorch's, which cost half of the speed on two cores, and its number of threads would decide the order of
/// sums. Freed memory stays with the process: a step needs the buffers of the one before.
/// Throws    std::bad_alloc where there is no memory for the buffers of the BLAS, which would wait for it
/// forever.
void ConfigureThreads(int threads);

}  // namespace qat

#endif  // QAT_TRAIN_THREADS_H_
