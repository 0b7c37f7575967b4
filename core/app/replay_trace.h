/* replay_trace.h — a recorded editing history as a list of edits: sequential (one author) or concurrent (two authors, each edit relative to
 * what its author had seen). The format is that of github.com/josephg/editing-traces, plain or gzipped JSON. Owns its text; immutable once
 * loaded. */
#ifndef GW_APP_REPLAY_TRACE_H
#define GW_APP_REPLAY_TRACE_H

#include <stddef.h>
#include <stdint.h>

struct gw_error;
struct gw_json;

enum { GW_REPLAY_AUTHORS_MAX = 2 };

/* value: positions and counts in code points */
struct gw_replay_edit {
    unsigned author;
    uint32_t at, del;
    const char *ins;
    size_t ins_length; /* bytes */
    /* The last edit of the other author that this one's author had seen; -1: none. Of their own they had seen all. */
    ptrdiff_t seen;
};

struct gw_replay_trace {
    struct gw_json *document; /* texts are borrowed from it */
    struct gw_replay_edit *edits;
    size_t edit_count;
    unsigned author_count;
    const char *start_text, *end_text;
    size_t start_length, end_length; /* bytes */
};

/* Errors: file_unreadable, file_too_large, those of gw_json_parse, trace_malformed (err->path says where), trace_unsupported (more than two
 * authors). */
int gw_replay_trace_load(const char *path, struct gw_replay_trace *out, struct gw_error *err);
void gw_replay_trace_fini(struct gw_replay_trace *trace);

#endif
