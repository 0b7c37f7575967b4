/* conformance.h — what every driver of the spine port must do, run against the driver that a test program gives. Each behaviour gets a
 * fresh, empty spine. */
#ifndef SPEC_SPINE_CONFORMANCE_H
#define SPEC_SPINE_CONFORMANCE_H

#include <stdint.h>

#include "hub/ports.h"

/* One open spine; a driver's test embeds it first in a struct of its own. */
struct subject {
    const struct gw_spine *port;
    void (*close)(struct subject *subject);
};

/* Runs them all; the number of failures. `open` makes an empty spine. */
int conformance_run(const char *driver_name, struct subject *(*open)(void));

#endif
