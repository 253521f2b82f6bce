/* What the compiler was told about the CPU's vectors, and the one instruction of theirs that Swift cannot name. */
#ifndef SANDBOX_VECTOR_H
#define SANDBOX_VECTOR_H

#ifdef __AVX512F__
#define SANDBOX_VECTOR_BITS 512
#else
#define SANDBOX_VECTOR_BITS 256
#endif

typedef float SandboxFloats __attribute__((ext_vector_type(16)));
typedef unsigned int SandboxPairs __attribute__((ext_vector_type(16)));

#ifdef __AVX512BF16__
#include <immintrin.h>
#define SANDBOX_HAS_BF16_PRODUCTS 1
#else
#define SANDBOX_HAS_BF16_PRODUCTS 0
#endif

/* sum + high(a) high(b) + low(a) low(b) in each of 16 lanes, a and b pairs of bf16 numbers, rounded to fp32 after each of
   the two additions. Without the instruction the same in fp32, apart from subnormal numbers, which it takes for 0: a bf16
   number is the upper half of an fp32 number, and the product of two is exact there. */
static inline __attribute__((always_inline)) SandboxFloats sandbox_add_bf16_products(
    SandboxFloats sum, SandboxPairs a, SandboxPairs b) {
#if SANDBOX_HAS_BF16_PRODUCTS
    return (SandboxFloats)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
#else
    SandboxFloats highA = (SandboxFloats)(a & 0xffff0000u);
    SandboxFloats highB = (SandboxFloats)(b & 0xffff0000u);
    sum = __builtin_elementwise_fma(highA, highB, sum);
    return __builtin_elementwise_fma((SandboxFloats)(a << 16), (SandboxFloats)(b << 16), sum);
#endif
}

#endif
