#include "train/threads.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <future>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

namespace qat {
namespace {

// Starts a team of threads beside the one that computes, and lets it sleep. libgomp waits for the next
// parallel region by spinning for milliseconds unless it manages more threads than there are cores; then for
// microseconds, before it sleeps. Where another process wants a core, too, the long wait is spent on every
// region: 300 steps of LeNet on two busy cores took 129 s, with the short wait 7 s. Only the environment
// before the start could say the same otherwise.
void ShortenWaiting() {
  static std::once_flag once;
  std::call_once(once, [] {
    std::promise<void> started;
    std::thread([&started] {
      at::parallel_for(0, at::get_num_threads(), 1, [](int64_t, int64_t) {});
      started.set_value();
      std::promise<void>().get_future().wait();  // the team lives as long as the thread that started it
    }).detach();
    started.get_future().wait();
  });
}

// How many of `wanted` threads the system gives: libgomp would end the program where it gives fewer.
int ThreadsToBeHad(int wanted) {
  std::promise<void> enough;
  const std::shared_future<void> done = enough.get_future().share();
  std::vector<std::thread> threads;
  try {
    while (static_cast<int>(threads.size()) + 1 < wanted) threads.emplace_back([done] { done.wait(); });
  } catch (const std::exception&) {
    // No memory for another, or the system's limit.
  }
  enough.set_value();
  for (std::thread& thread : threads) thread.join();
  return static_cast<int>(threads.size()) + 1;
}

// OpenBLAS takes a buffer for each thread that multiplies, and tries forever where there is no memory for
// one. So memory is asked for first, and the buffers are taken while it is there; OpenBLAS keeps what it was
// given back.
// Size: BUFFER_SIZE of OpenBLAS 0.3.21 for x86-64 with its alignment; other processors have smaller ones.
void TakeBlasBuffers(int threads) {
  constexpr size_t kBufferBytes = (size_t{128} << 20) + (size_t{1} << 16);
  const auto take = reinterpret_cast<void* (*)(int)>(dlsym(RTLD_DEFAULT, "blas_memory_alloc"));
  const auto give_back = reinterpret_cast<void (*)(void*)>(dlsym(RTLD_DEFAULT, "blas_memory_free"));
  if (take == nullptr || give_back == nullptr) return;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  static int taken = 0;
  std::vector<void*> buffers;
  for (int i = 0; i < threads; ++i) {
    if (i >= taken) {
      void* probe = mmap(nullptr, kBufferBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (probe == MAP_FAILED) break;
      munmap(probe, kBufferBytes);
    }
    buffers.push_back(take(0));
  }
  for (void* buffer : buffers) give_back(buffer);
  taken = std::max(taken, static_cast<int>(buffers.size()));
  if (static_cast<int>(buffers.size()) < threads) throw std::bad_alloc();
}

// Every step asks for the buffers of the last one again. By default glibc gives large ones back to the
// system, which clears each page anew: a quarter of the time of a step of resnet8.
void KeepFreedMemory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
#endif
}

}  // namespace

int ThreadCount(int threads) {
  return threads > 0 ? threads : static_cast<int>(std::max(std::thread::hardware_concurrency(), 1u));
}

int RanksOf(int threads, int32_t batch_size) {
  constexpr int32_t kFewestExamples = 8;
  return std::max(1, std::min(threads, batch_size / kFewestExamples));
}

// LibTorch keeps a number that all threads see, and OpenMP one for each.
void SetOwnThreads(int threads) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  at::set_num_threads(threads);
}

MoreThreads::MoreThreads(int threads) {
  if (threads == 0) return;
  before_ = at::get_num_threads();
  SetOwnThreads(threads);
}

MoreThreads::~MoreThreads() {
  if (before_ > 0) SetOwnThreads(before_);
}

void ConfigureThreads(int threads) {
  const int wanted = ThreadCount(threads);
  // However few are asked for, LibTorch starts a pool of one thread per processor, and waits forever for one
  // that cannot start.
  const int pool = static_cast<int>(std::max(sysconf(_SC_NPROCESSORS_ONLN), 1L));
  // One more, which ShortenWaiting needs.
  const int had = ThreadsToBeHad(std::max(wanted + 1, pool));
  if (had < pool) throw std::bad_alloc();
  at::set_num_threads(wanted == 1 ? 1 : std::max(1, std::min(wanted, had - 1)));
  TakeBlasBuffers(at::get_num_threads());
  KeepFreedMemory();
  if (at::get_num_threads() > 1) ShortenWaiting();
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
  // Looked up by name: which BLAS there is, the linker of the distribution decides.
  if (void* symbol = dlsym(RTLD_DEFAULT, "openblas_set_num_threads")) {
    reinterpret_cast<void (*)(int)>(symbol)(1);
  }
}

}  // namespace qat
