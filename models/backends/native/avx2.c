/* For x86-64 with AVX2. */
#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC target("avx2")
#endif
#define CORE_AVX2
#include "variant.h"

static int supported(void) { return __builtin_cpu_supports("avx2"); }

extern const Core catzip_avx2;
const Core catzip_avx2 = CATZIP_CORE("avx2");
#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
typedef int nothing_here; /* a translation unit holds something */
#endif
