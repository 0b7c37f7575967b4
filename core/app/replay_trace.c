#include "app/replay_trace.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"

enum { FILE_MAX = 256 * 1024 * 1024, READ_BYTES = 256 * 1024, EDITS_MAX = 16 * 1024 * 1024 };

/* value: a trace being read */
struct reader {
    struct gw_replay_trace *trace;
    size_t capacity;
    /* Of each transaction so far, for concurrent traces: */
    unsigned *authors;
    ptrdiff_t *last_edits; /* its last edit, or that of the author's transaction before when it has none */
    ptrdiff_t *seen;       /* last edit of the other author that it had seen */
    size_t txn;            /* the present one */
    struct gw_error *err;
};

static int read_file(const char *path, struct gw_buffer *out, struct gw_error *err)
{
    gzFile file = gzopen(path, "rb"); /* reads plain files as they are */
    int got = -1;
    if (file == NULL) {
        return gw_error_set(err, GW_EIO, "file_unreadable", "%s cannot be opened", path);
    }
    do {
        char *room = gw_buffer_reserve(out, READ_BYTES);
        got = room != NULL ? gzread(file, room, READ_BYTES) : -1;
        gw_buffer_commit(out, got > 0 ? (size_t)got : 0);
    } while (got > 0);
    gzclose(file);
    if (out->has_failed) {
        return gw_error_limit(err, "file_too_large", "max_file_bytes", FILE_MAX, "%s is too large", path);
    }
    return got == 0 ? GW_OK : gw_error_set(err, GW_EIO, "file_unreadable", "%s is damaged", path);
}

static int malformed(const struct reader *r, const char *what)
{
    return gw_error_set(r->err, GW_EINVAL, "trace_malformed", "transaction %zu: %s", r->txn, what);
}

static struct gw_replay_edit *add_edit(struct reader *r)
{
    struct gw_replay_trace *trace = r->trace;
    if (trace->edit_count == r->capacity && r->capacity < EDITS_MAX) {
        size_t capacity = r->capacity > 0 ? r->capacity * 2 : 4096;
        struct gw_replay_edit *grown = gw_try_grow(trace->edits, capacity, sizeof trace->edits[0]);
        if (grown != NULL) {
            trace->edits = grown;
            r->capacity = capacity;
        }
    }
    return trace->edit_count < r->capacity ? &trace->edits[trace->edit_count++] : NULL;
}

static bool read_size(const struct gw_json *value, uint32_t *out)
{
    bool fits = gw_json_is_int(value) && gw_json_int(value) >= 0 && gw_json_int(value) <= UINT32_MAX;
    *out = fits ? (uint32_t)gw_json_int(value) : 0;
    return fits;
}

/* [at, del, ins] or [at, del, ins, time] */
static int read_patch(struct reader *r, const struct gw_json *patch, unsigned author, ptrdiff_t seen)
{
    uint32_t at, del;
    bool is_whole = gw_json_is_array(patch) && read_size(gw_json_at(patch, 0), &at) && read_size(gw_json_at(patch, 1), &del) &&
                    gw_json_is_string(gw_json_at(patch, 2));
    if (!is_whole) {
        return malformed(r, "a patch is not [at, deleted, inserted]");
    }
    struct gw_replay_edit *edit = add_edit(r);
    if (edit == NULL) {
        return gw_error_limit(r->err, "file_too_large", "max_edits", EDITS_MAX, "no room for so many edits");
    }
    *edit = (struct gw_replay_edit){.author = author, .at = at, .del = del, .seen = seen};
    edit->ins = gw_json_text(gw_json_at(patch, 2), &edit->ins_length);
    return GW_OK;
}

/* What the author had seen of the other: whatever a parent is or had seen. */
static int read_parents(struct reader *r, const struct gw_json *parents, unsigned author, ptrdiff_t *seen)
{
    *seen = -1;
    if (!gw_json_is_array(parents)) {
        return malformed(r, "it has no parents");
    }
    for (size_t i = 0; i < gw_json_count(parents); i++) {
        uint32_t parent;
        if (!read_size(gw_json_at(parents, i), &parent) || parent >= r->txn) {
            return malformed(r, "a parent is not an earlier transaction");
        }
        ptrdiff_t through = r->authors[parent] == author ? r->seen[parent] : r->last_edits[parent];
        *seen = through > *seen ? through : *seen;
    }
    return GW_OK;
}

/* The last edit of `author` before this transaction, or -1. */
static ptrdiff_t last_edit_of(const struct reader *r, unsigned author)
{
    for (size_t i = r->txn; i > 0; i--) {
        if (r->authors[i - 1] == author) {
            return r->last_edits[i - 1];
        }
    }
    return -1;
}

static int read_txn(struct reader *r, const struct gw_json *txn)
{
    uint32_t author = 0;
    ptrdiff_t seen = -1;
    bool is_concurrent = r->trace->author_count > 1;
    if (!gw_json_is_object(txn)) {
        return malformed(r, "it is no object");
    }
    const struct gw_json *patches = gw_json_get(txn, "patches");
    if (is_concurrent && (!read_size(gw_json_get(txn, "agent"), &author) || author >= r->trace->author_count)) {
        return malformed(r, "its agent is not a number below numAgents");
    }
    if (!gw_json_is_array(patches)) {
        return malformed(r, "it has no patches");
    }
    int rc = is_concurrent ? read_parents(r, gw_json_get(txn, "parents"), author, &seen) : GW_OK;
    for (size_t i = 0; rc == GW_OK && i < gw_json_count(patches); i++) {
        rc = read_patch(r, gw_json_at(patches, i), author, seen);
    }
    if (rc == GW_OK && is_concurrent) {
        r->authors[r->txn] = author;
        r->seen[r->txn] = seen;
        r->last_edits[r->txn] = gw_json_count(patches) > 0 ? (ptrdiff_t)r->trace->edit_count - 1 : last_edit_of(r, author);
    }
    return rc;
}

static int read_txns(struct reader *r, const struct gw_json *txns)
{
    size_t count = gw_json_count(txns);
    int rc = GW_OK;
    if (!gw_json_is_array(txns)) {
        return gw_error_set(r->err, GW_EINVAL, "trace_malformed", "the file has no txns");
    }
    r->authors = gw_alloc_array(count + 1, sizeof r->authors[0]);
    r->last_edits = gw_alloc_array(count + 1, sizeof r->last_edits[0]);
    r->seen = gw_alloc_array(count + 1, sizeof r->seen[0]);
    for (r->txn = 0; r->txn < count && rc == GW_OK; r->txn++) {
        rc = read_txn(r, gw_json_at(txns, r->txn));
    }
    gw_free(r->authors);
    gw_free(r->last_edits);
    gw_free(r->seen);
    return rc;
}

static int read_authors(struct gw_replay_trace *trace, struct gw_error *err)
{
    uint32_t count = 1;
    const struct gw_json *named = gw_json_get(trace->document, "numAgents");
    if (named != NULL && (!read_size(named, &count) || count < 1 || count > GW_REPLAY_AUTHORS_MAX)) {
        return gw_error_set(err, GW_EINVAL, "trace_unsupported", "a trace of at most two authors is wanted");
    }
    trace->author_count = count;
    return GW_OK;
}

static int read_document(struct gw_replay_trace *trace, struct gw_error *err)
{
    const struct gw_json *start = gw_json_get(trace->document, "startContent");
    const struct gw_json *end = gw_json_get(trace->document, "endContent");
    struct reader r = {.trace = trace, .err = err};
    if (!gw_json_is_string(end) || (start != NULL && !gw_json_is_string(start))) {
        return gw_error_set(err, GW_EINVAL, "trace_malformed", "endContent, or startContent, is no text");
    }
    trace->end_text = gw_json_text(end, &trace->end_length);
    trace->start_text = start != NULL ? gw_json_text(start, &trace->start_length) : "";
    int rc = read_authors(trace, err);
    return rc == GW_OK ? read_txns(&r, gw_json_get(trace->document, "txns")) : rc;
}

int gw_replay_trace_load(const char *path, struct gw_replay_trace *out, struct gw_error *err)
{
    const struct gw_json_limits limits = {.max_bytes = FILE_MAX, .max_depth = 16, .max_nodes = 128 * 1024 * 1024};
    struct gw_buffer text;
    *out = (struct gw_replay_trace){0};
    gw_buffer_init(&text, FILE_MAX);
    int rc = read_file(path, &text, err);
    rc = rc == GW_OK ? gw_json_parse(text.data, text.length, &limits, &out->document, err) : rc;
    gw_buffer_fini(&text);
    if (rc == GW_OK && !gw_json_is_object(out->document)) {
        rc = gw_error_set(err, GW_EINVAL, "trace_malformed", "the file holds no object");
    }
    return rc == GW_OK ? read_document(out, err) : rc;
}

void gw_replay_trace_fini(struct gw_replay_trace *trace)
{
    gw_json_unref(trace->document);
    gw_free(trace->edits);
    *trace = (struct gw_replay_trace){0};
}
