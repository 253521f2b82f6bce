/* zlib (Debian: zlib1g-dev), for corpora that are compressed by gzip. */
#ifndef SANDBOX_ZLIB_H
#define SANDBOX_ZLIB_H

#include <stdlib.h>
#include <zlib.h>

/* Swift moves what it holds, but zlib remembers where its stream lies: so it lies here, and the places of input and
   output are set for one call alone. */

/* A stream that unpacks gzip members; NULL without memory. */
static inline z_streamp sandbox_inflate_begin(void) {
    z_streamp stream = (z_streamp)calloc(1, sizeof(z_stream));
    if (stream && inflateInit2(stream, 16 + MAX_WBITS) != Z_OK) {
        free(stream);
        stream = NULL;
    }
    return stream;
}

/* Unpacks input[first ..< end]; avail_in and avail_out of the stream say what is left of both. */
static inline int sandbox_inflate(z_streamp stream, const unsigned char *input, unsigned first,
                                  unsigned end, unsigned char *output, unsigned capacity) {
    stream->next_in = (unsigned char *)input + first;
    stream->avail_in = end - first;
    stream->next_out = output;
    stream->avail_out = capacity;
    int code = inflate(stream, Z_NO_FLUSH);
    stream->next_in = NULL;
    stream->next_out = NULL;
    return code;
}

static inline void sandbox_inflate_end(z_streamp stream) {
    inflateEnd(stream);
    free(stream);
}

#endif
