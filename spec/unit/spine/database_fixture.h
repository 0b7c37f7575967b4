/* database_fixture.h — a SQLite spine in a folder of its own under the build's temporary files, removed at the end. One thread. */
#ifndef SPEC_SPINE_DATABASE_FIXTURE_H
#define SPEC_SPINE_DATABASE_FIXTURE_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/error.h"
#include "spine/calls.h"
#include "spine/sqlite/sqlite_spine.h"

struct gw_metrics;

struct fixture {
    char folder[128];
    char path[160]; /* of the database, in a folder that the driver makes */
    struct gw_metrics *metrics;
    struct gw_sqlite_spine *spine; /* NULL when closed */
    const struct gw_spine *port;
    size_t wal_bytes, max_queued_requests, max_queued_bytes; /* for the next opening */
};

/* Makes the folder; opens nothing. A small write-ahead log keeps tests fast. */
void fixture_init(struct fixture *f);
void fixture_fini(struct fixture *f);
int fixture_try_open(struct fixture *f, struct gw_error *err);
void fixture_open(struct fixture *f); /* fails the test when it cannot */
void fixture_close(struct fixture *f);
/* A statement over a connection of the test's own. */
void fixture_execute(struct fixture *f, const char *sql);
/* The spine's writer waits, at most 5 s, until the returned connection is closed. */
sqlite3 *fixture_block_writes(struct fixture *f);
int64_t fixture_metric(struct fixture *f, const char *name);

#endif
