/* conformance_steps.h — what the behaviours of conformance*.c are made of: opening an empty spine, filling it, looking at it. */
#ifndef SPEC_SPINE_CONFORMANCE_STEPS_H
#define SPEC_SPINE_CONFORMANCE_STEPS_H

#include <stddef.h>
#include <stdint.h>

#include "spine/calls.h"
#include "spine/conformance.h"

/* cmocka hands a test one pointer: at first how to open, then what was opened. */
struct opener {
    struct subject *(*open)(void);
};
int conformance_set_up(void **state);
int conformance_tear_down(void **state);
const struct gw_spine *port_of(void **state);

/* Where `opener` is a local struct opener. */
#define BEHAVIOUR(function)                                                                                                                \
    {                                                                                                                                      \
#function, function, conformance_set_up, conformance_tear_down, &opener                                                            \
    }

#define FIRSTS(...) ((const uint64_t[]){__VA_ARGS__})
#define CHUNKS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Records 1, 2-4, 5, 6-9, 10 with payloads of 10 bytes each. */
void fill(const struct gw_spine *port, const char *run);
/* A read of "run" gives the records with these first seqs; 0 ends them. */
void assert_range(const struct gw_spine *port, uint64_t from, uint64_t to, size_t max_bytes, const uint64_t *firsts);
/* The newest checkpoint of "run" with at most that seq. */
void assert_blob(const struct gw_spine *port, uint64_t at_most, uint64_t seq, const char *const *chunks);
void assert_blob_of(const struct gw_spine *port, enum gw_spine_blob_kind kind, uint64_t at_most, uint64_t seq, const char *const *chunks);

/* conformance_erase.c */
int conformance_erase_run(const char *driver_name, struct subject *(*open)(void));

#endif
