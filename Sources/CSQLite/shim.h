// SQLite (Debian: libsqlite3-dev), for corpora that lie in databases.
#include <sqlite3.h>
