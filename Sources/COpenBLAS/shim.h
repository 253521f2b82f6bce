// OpenBLAS (Debian: libopenblas-dev). Its header declares the types of CBLAS; the library itself is loaded at run
// time (Kernels/OpenBLASLibrary.swift), so nothing here is linked.
#include <cblas.h>
