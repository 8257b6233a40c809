#include "train/threads.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>

#include <algorithm>
#include <thread>

namespace qat {

void ConfigureThreads(int threads) {
  const int cores = static_cast<int>(std::max(std::thread::hardware_concurrency(), 1u));
  at::set_num_threads(threads > 0 ? threads : cores);
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
  // Looked up by name: which BLAS there is, the linker of the distribution decides.
  if (void* symbol = dlsym(RTLD_DEFAULT, "openblas_set_num_threads")) {
    reinterpret_cast<void (*)(int)>(symbol)(1);
  }
}

}  // namespace qat
