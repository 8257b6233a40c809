// picture_loader.h: pictures read and decoded on worker threads, ahead of their use.
#ifndef QAT_DATA_PICTURE_LOADER_H_
#define QAT_DATA_PICTURE_LOADER_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/expected.h"
#include "base/file.h"

namespace qat {

/// For one caller at a time. What it gives depends on the index only: neither the number of threads nor their
/// order can be seen in a result.
class PictureLoader {
 public:
  /// Makes the pixels of one picture; called from several threads at once.
  using Load = std::function<Expected<Bytes>(int32_t index)>;

  /// `threads` in addition to the caller's own; 0: the caller loads alone.
  PictureLoader(Load load, int threads);
  ~PictureLoader();
  PictureLoader(const PictureLoader&) = delete;
  PictureLoader& operator=(const PictureLoader&) = delete;

  /// Starts on `now`, then on `next`, and forgets everything else: never more than these wait in memory.
  void Start(std::span<const int32_t> now, std::span<const int32_t> next);

  /// The picture, which is forgotten then. One that nobody has begun is loaded here, one in work is waited
  /// for.
  Expected<Bytes> Take(int32_t index);

 private:
  struct Slot {
    bool begun = false;
    std::optional<Expected<Bytes>> result;
  };
  void Work();
  Expected<Bytes> Guarded(int32_t index) const;

  const Load load_;
  std::mutex mutex_;
  std::condition_variable work_;  // for the workers: a picture to begin, or the end
  std::condition_variable done_;  // for the caller: a picture is ready
  std::deque<int32_t> queue_;
  std::unordered_map<int32_t, Slot> slots_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace qat

#endif  // QAT_DATA_PICTURE_LOADER_H_
