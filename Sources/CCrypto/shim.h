// libcrypto (Debian: libssl-dev), for SHA-256: already on most machines, no build time.
#include <openssl/evp.h>
#include <openssl/sha.h>
