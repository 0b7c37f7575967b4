/* reader.h — a client of one class in a spec: a fold of projected events over plain JSON, written from docs/contract.md and not from the program. */
#ifndef GW_SPEC_READER_H
#define GW_SPEC_READER_H

#include "hub/lens.h"

struct gw_event;
struct gw_json;

struct reader {
    struct gw_lens lens;
    struct gw_json *state; /* the members of GET /v1/state but `cursor`; owned */
    size_t seen;           /* events that were not hidden */
};

void reader_open(struct reader *reader, const struct gw_lens *lens);
void reader_close(struct reader *reader);
/* Projects the event and folds what is left of it; an operation that does not fit fails the test. */
void reader_take(struct reader *reader, const struct gw_event *event);

#endif
