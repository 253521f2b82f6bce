/* What the compiler was told about the CPU's vectors: Swift has no condition for it. */
#ifndef SANDBOX_VECTOR_H
#define SANDBOX_VECTOR_H

#ifdef __AVX512F__
#define SANDBOX_VECTOR_BITS 512
#else
#define SANDBOX_VECTOR_BITS 256
#endif

#endif
