// vector_clones.h: one loop compiled for several instruction sets; the program takes the widest that the
// processor has.
#ifndef QAT_TRAIN_VECTOR_CLONES_H_
#define QAT_TRAIN_VECTOR_CLONES_H_

/// In front of a free function with a flat loop over floats. Results are those of the plain function, bit by
/// bit: no set of instructions here changes the order of operations, and -ffp-contract=off keeps products and
/// sums apart.
#if defined(__x86_64__)
#define QAT_VECTOR_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define QAT_VECTOR_CLONES
#endif

#endif  // QAT_TRAIN_VECTOR_CLONES_H_
