// OpenBLAS (Debian: libopenblas-dev). Its header declares CBLAS and the openblas_* controls.
#include <cblas.h>
