// PLplot (Debian: libplplot-dev). Swift sees its functions as c_plinit, c_plline, ...
#include <setjmp.h>
#include <stdio.h>
#include <plplot/plplot.h>

// The folder of the drivers: PLPLOT_DRV_DIR or the one PLplot was built with. PLplot exports the
// function and declares it in a header that needs its own build's configuration.
const char *plGetDrvDir(void);

struct plplot_exit {
    jmp_buf place;
    char message[256];
};

static inline struct plplot_exit *plplot_exit(void) {
    static struct plplot_exit way_out;
    return &way_out;
}

static inline int plplot_leave(const char *message) {
    snprintf(plplot_exit()->message, sizeof plplot_exit()->message, "%s", message);
    longjmp(plplot_exit()->place, 1);
}

// c_plinit, which ends the process when a font or a driver is missing, made to return: NULL when
// PLplot has started, otherwise what it had to say. It cannot be used any more then.
// The jump leaves only frames of C behind; one thread at a time may be here.
static inline __attribute__((noinline)) const char *plplot_start(void) {
    if (setjmp(plplot_exit()->place) != 0) {
        plsexit(NULL);
        return plplot_exit()->message;
    }
    plsexit(plplot_leave);
    c_plinit();
    plsexit(NULL);
    return NULL;
}
