#include "data/picture_loader.h"

#include <exception>
#include <new>
#include <unordered_set>

namespace qat {

PictureLoader::PictureLoader(Load load, int threads) : load_(std::move(load)) {
  try {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
  } catch (const std::exception&) {
    // Those that could be started are enough: the caller loads, too.
  }
}

PictureLoader::~PictureLoader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void PictureLoader::Start(std::span<const int32_t> now, std::span<const int32_t> next) {
  std::unordered_set<int32_t> wanted(now.begin(), now.end());
  wanted.insert(next.begin(), next.end());
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(slots_, [&](const auto& slot) { return wanted.count(slot.first) == 0; });
    queue_.clear();
    for (const auto& indices : {now, next}) {
      for (const int32_t index : indices) {
        if (wanted.erase(index) > 0 && !slots_[index].begun) queue_.push_back(index);
      }
    }
  }
  work_.notify_all();
}

Expected<Bytes> PictureLoader::Take(int32_t index) {
  std::unique_lock lock(mutex_);
  const auto begun = [&] {
    const auto slot = slots_.find(index);
    return slot != slots_.end() && slot->second.begun;
  };
  if (!begun()) {
    slots_.erase(index);
    lock.unlock();
    return Guarded(index);
  }
  done_.wait(lock, [&] { return slots_.at(index).result.has_value(); });
  Expected<Bytes> result = *std::move(slots_.at(index).result);
  slots_.erase(index);
  return result;
}

void PictureLoader::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    const int32_t index = queue_.front();
    queue_.pop_front();
    const auto slot = slots_.find(index);
    if (slot == slots_.end() || slot->second.begun) continue;
    slot->second.begun = true;
    lock.unlock();
    Expected<Bytes> result = Guarded(index);
    lock.lock();
    // It may have been forgotten meanwhile.
    const auto kept = slots_.find(index);
    if (kept == slots_.end()) continue;
    kept->second.begun = true;
    kept->second.result = std::move(result);
    done_.notify_all();
  }
}

Expected<Bytes> PictureLoader::Guarded(int32_t index) const {
  try {
    return load_(index);
  } catch (const std::bad_alloc&) {
    return SystemError("out of memory while decoding a picture");
  }
}

}  // namespace qat
