#include "spine/database_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/clock.h"
#include "base/metrics.h"

void fixture_init(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    const char *parent = getenv("TMPDIR");
    snprintf(f->folder, sizeof f->folder, "%s/atoms-spine-XXXXXX", parent == NULL ? "/tmp" : parent);
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/data/spine.db", f->folder);
    f->metrics = gw_metrics_create();
    f->wal_bytes = 256 * 1024;
}

void fixture_fini(struct fixture *f)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-lock"};
    char name[180];
    fixture_close(f);
    gw_metrics_destroy(f->metrics);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        snprintf(name, sizeof name, "%s%s", f->path, suffixes[i]);
        unlink(name);
    }
    *strrchr(f->path, '/') = '\0';
    rmdir(f->path);
    rmdir(f->folder);
}

int fixture_try_open(struct fixture *f, struct gw_error *err)
{
    struct gw_sqlite_spine_opts opts = {.path = f->path,
                                        .clock = gw_clock_system(),
                                        .metrics = f->metrics,
                                        .max_queued_requests = f->max_queued_requests,
                                        .max_queued_bytes = f->max_queued_bytes,
                                        .wal_bytes = f->wal_bytes};
    int result = gw_sqlite_spine_create(&opts, &f->spine, err);
    f->port = result == GW_OK ? gw_sqlite_spine_port(f->spine) : NULL;
    return result;
}

void fixture_open(struct fixture *f)
{
    struct gw_error err;
    if (fixture_try_open(f, &err) != GW_OK)
        fail_msg("%s: %s", err.path, err.message);
}

void fixture_close(struct fixture *f)
{
    gw_sqlite_spine_destroy(f->spine);
    f->spine = NULL;
    f->port = NULL;
}

void fixture_execute(struct fixture *f, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(db);
}

sqlite3 *fixture_block_writes(struct fixture *f)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return db;
}

int64_t fixture_metric(struct fixture *f, const char *name) { return gw_metric_value(gw_metrics_counter(f->metrics, name, "", "")); }
