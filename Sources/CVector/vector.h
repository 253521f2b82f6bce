/* What the compiler was told about the CPU's vectors, and what of theirs Swift cannot name or does not find by itself. */
#ifndef SANDBOX_VECTOR_H
#define SANDBOX_VECTOR_H

#ifdef __AVX512F__
#define SANDBOX_VECTOR_BITS 512
#else
#define SANDBOX_VECTOR_BITS 256
#endif

typedef float SandboxFloats __attribute__((ext_vector_type(16)));
typedef unsigned int SandboxPairs __attribute__((ext_vector_type(16)));
typedef unsigned short SandboxHalves __attribute__((ext_vector_type(16)));
typedef unsigned short SandboxAllHalves __attribute__((ext_vector_type(32)));

#ifdef __AVX2__
#include <immintrin.h>
#endif

#ifdef __AVX512BF16__
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

/* The numbers of `first`, then those of `second`, rounded to bf16: to nearest, ties to even; a NaN stays one. The instruction
   takes subnormal numbers for 0, as that of the products does. */
static inline __attribute__((always_inline)) SandboxAllHalves sandbox_round_to_bf16(
    SandboxFloats first, SandboxFloats second) {
#if SANDBOX_HAS_BF16_PRODUCTS
    return (SandboxAllHalves)_mm512_cvtne2ps_pbh((__m512)second, (__m512)first);
#else
    SandboxFloats numbers[2] = {first, second};
    SandboxHalves halves[2];
    for (int part = 0; part < 2; part++) {
        SandboxPairs bits = (SandboxPairs)numbers[part];
        SandboxPairs isNaN = (SandboxPairs)(numbers[part] != numbers[part]);
        bits += 0x7fffu + ((bits >> 16) & 1u);
        halves[part] = __builtin_convertvector(((bits & ~isNaN) | (isNaN & 0x7fc00000u)) >> 16, SandboxHalves);
    }
    return __builtin_shufflevector(
        halves[0], halves[1], 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
        27, 28, 29, 30, 31);
#endif
}

/* Rounded neighbours as pairs: lane 0 has the first two numbers of `first`, the earlier one in its lower half. */
static inline __attribute__((always_inline)) SandboxPairs sandbox_bf16_neighbours(
    SandboxFloats first, SandboxFloats second) {
    return (SandboxPairs)sandbox_round_to_bf16(first, second);
}

/* Rounded numbers of two vectors as pairs: each lane has that of `low` in its lower half, that of `high` in the upper. */
static inline __attribute__((always_inline)) SandboxPairs sandbox_bf16_pairs(SandboxFloats low, SandboxFloats high) {
    SandboxAllHalves all = sandbox_round_to_bf16(low, high);
    return (SandboxPairs)__builtin_shufflevector(
        all, all, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30,
        15, 31);
}

typedef float SandboxEight __attribute__((ext_vector_type(8)));

/* Up to eight rows of eight numbers of 32 bits, as columns; rows that do not exist are 0. Rows and columns lie so many numbers
   apart; the columns are stored first to last, so that each may overwrite what the one before has too much. The two halves of a
   register are shuffled apart until the last round, which is what AVX2 does fast. */
static inline __attribute__((always_inline)) void sandbox_transpose_eight(
    const float *rows, long rowStride, int count, float *columns, long columnStride) {
    SandboxEight row[8], pair[8], quad[8], column[8];
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) {
        if (i < count) __builtin_memcpy(&row[i], rows + i * rowStride, sizeof row[i]);
        else row[i] = (SandboxEight)0.0f;
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i += 2) {
        pair[i] = __builtin_shufflevector(row[i], row[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        pair[i + 1] = __builtin_shufflevector(row[i], row[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i += 4) {
#pragma clang loop unroll(full)
        for (int j = 0; j < 2; j++) {
            quad[i + 2 * j] = __builtin_shufflevector(pair[i + j], pair[i + 2 + j], 0, 1, 8, 9, 4, 5, 12, 13);
            quad[i + 2 * j + 1] = __builtin_shufflevector(pair[i + j], pair[i + 2 + j], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
        column[i] = __builtin_shufflevector(quad[i], quad[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        column[i + 4] = __builtin_shufflevector(quad[i], quad[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) __builtin_memcpy(columns + i * columnStride, &column[i], sizeof column[i]);
}

/* A matrix of 16 x 16 numbers of 32 bits, transposed into another place: on AVX2 its four quarters, else in four rounds, each
   of which shuffles the upper half of the rows into the lower half, as one shuffles two halves of a deck of cards. */
static inline __attribute__((always_inline)) void sandbox_transpose(const void *rows, void *columns) {
#if SANDBOX_VECTOR_BITS == 256
    for (int i = 0; i < 16; i += 8)
        for (int j = 0; j < 16; j += 8)
            sandbox_transpose_eight((const float *)rows + 16 * i + j, 16, 8, (float *)columns + 16 * j + i, 16);
#else
    SandboxFloats deck[16], shuffled[16];
    __builtin_memcpy(deck, rows, sizeof deck);
#pragma clang loop unroll(full)
    for (int round = 0; round < 4; round++) {
#pragma clang loop unroll(full)
        for (int card = 0; card < 8; card++) {
            shuffled[2 * card] = __builtin_shufflevector(
                deck[card], deck[card + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            shuffled[2 * card + 1] = __builtin_shufflevector(
                deck[card], deck[card + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
        __builtin_memcpy(deck, shuffled, sizeof deck);
    }
    __builtin_memcpy(columns, deck, sizeof deck);
#endif
}

/* Asks for the cache line `bytes` behind `place`, which will be read before long: into the second cache. It may lie outside of
   what `place` points into. */
static inline __attribute__((always_inline)) void sandbox_prefetch(const void *place, long bytes) {
    __builtin_prefetch((const void *)((__UINTPTR_TYPE__)place + (__UINTPTR_TYPE__)bytes), 0, 2);
}

/* Asks for the cache line at `place`, which is about to be written. */
static inline __attribute__((always_inline)) void sandbox_prefetch_for_writing(const void *place) {
    __builtin_prefetch(place, 1);
}

/* The first `count` of sixteen numbers, 0 to 16; the others are 0, and are not read. */
static inline __attribute__((always_inline)) SandboxFloats sandbox_load_some(const float *numbers, long count) {
#if defined(__AVX512F__)
    return (SandboxFloats)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), numbers);
#elif defined(__AVX2__)
    __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    union { __m256 halves[2]; SandboxFloats all; } result;
    for (int half = 0; half < 2; half++)
        result.halves[half] = _mm256_maskload_ps(
            numbers + 8 * half, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count - 8 * half), lanes));
    return result.all;
#else
    SandboxFloats result = 0.0f;
    for (long lane = 0; lane < count; lane++) result[lane] = numbers[lane];
    return result;
#endif
}

/* Writes the first `count` of sixteen numbers, 0 to 16, and nothing behind them. */
static inline __attribute__((always_inline)) void sandbox_store_some(SandboxFloats values, float *numbers, long count) {
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(numbers, (__mmask16)((1u << count) - 1), (__m512)values);
#elif defined(__AVX2__)
    __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    union { __m256 halves[2]; SandboxFloats all; } source = {.all = values};
    for (int half = 0; half < 2; half++)
        _mm256_maskstore_ps(
            numbers + 8 * half, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count - 8 * half), lanes), source.halves[half]);
#else
    for (long lane = 0; lane < count; lane++) numbers[lane] = values[lane];
#endif
}

#endif
