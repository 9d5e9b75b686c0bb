/* For x86-64 with AVX-512 and its VNNI. */
#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")
#endif
#define CORE_AVX512_VNNI
#include "variant.h"

static int supported(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vnni");
}

extern const Core catzip_avx512_vnni;
const Core catzip_avx512_vnni = CATZIP_CORE("avx512-vnni");
#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
typedef int nothing_here; /* a translation unit holds something */
#endif
