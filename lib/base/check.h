// check.h: stops the program on a programmer error. What a file or a user can cause is an Expected instead.
#ifndef QAT_BASE_CHECK_H_
#define QAT_BASE_CHECK_H_

namespace qat::internal {
/// Prints "file:line: check failed: condition" on stderr and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);
}  // namespace qat::internal

/// Always on, release builds too.
#define QAT_CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::qat::internal::CheckFailed(__FILE__, __LINE__, #condition))

/// Inner-loop invariants: debug builds only.
#ifdef NDEBUG
#define QAT_DCHECK(condition) void(0)
#else
#define QAT_DCHECK(condition) QAT_CHECK(condition)
#endif

#endif  // QAT_BASE_CHECK_H_
