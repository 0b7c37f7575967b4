/* What differs between two points of a run: both states are folded from the log, one after the other. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "hub/diff.h"
#include "hub/lens.h"
#include "hub/run.h"
#include "hub/run_read.h"

struct diff {
    struct gw_run *run;
    struct gw_read *request;
    struct gw_channel channel;
    uint64_t from_seq, to_seq;
    struct gw_state *from;
};

static void destroy(struct diff *diff)
{
    struct gw_run *run = diff->run;
    gw_state_destroy(diff->from);
    gw_channel_fini(&diff->channel);
    gw_free(diff);
    run->readers--;
    gw_hub_mark_run(run->hub, run);
}

static void refuse(struct diff *diff, const struct gw_error *err)
{
    gw_read_refuse(diff->run->hub, diff->request, err);
    destroy(diff);
}

static void write_end(const struct diff *diff, const char *before, uint64_t seq, struct gw_buffer *out)
{
    char cursor[GW_CURSOR_MAX];
    gw_channel_seal(&diff->channel, seq, cursor);
    gw_buffer_append_text(out, before);
    gw_buffer_append_text(out, cursor);
}

static void answer(struct diff *diff, const struct gw_state *to)
{
    struct gw_buffer body;
    const char *canvas_id = diff->request->set.ids[0];
    gw_buffer_init(&body, 0);
    gw_buffer_append_text(&body, "{\"canvas_id\":\"");
    gw_buffer_append_text(&body, canvas_id);
    write_end(diff, "\",\"from\":\"", diff->from_seq, &body);
    write_end(diff, "\",\"to\":\"", diff->to_seq, &body);
    gw_buffer_append_text(&body, "\",");
    struct gw_lens lens = gw_channel_lens(&diff->channel);
    gw_diff_write(diff->from, to, &lens, canvas_id, &body);
    gw_buffer_append_char(&body, '}');
    gw_read_give(diff->run->hub, diff->request, &body);
    destroy(diff);
}

static void load(struct diff *diff, uint64_t seq, void (*done)(void *, int, struct gw_loaded *, const struct gw_error *))
{
    gw_loader_start(&(struct gw_loader_opts){.hub = diff->run->hub, .run = &diff->run->key, .at_seq = seq, .done = done, .arg = diff});
}

static void on_to(void *arg, int status, struct gw_loaded *loaded, const struct gw_error *err)
{
    struct diff *diff = arg;
    struct gw_error refusal = *err;
    if (status) {
        gw_read_say_unreadable(status, &refusal);
        refuse(diff, &refusal);
        return;
    }
    answer(diff, loaded->state);
    gw_state_destroy(loaded->state);
}

static void on_from(void *arg, int status, struct gw_loaded *loaded, const struct gw_error *err)
{
    struct diff *diff = arg;
    struct gw_error refusal = *err;
    if (status) {
        gw_read_say_unreadable(status, &refusal);
        refuse(diff, &refusal);
        return;
    }
    diff->from = loaded->state;
    load(diff, diff->to_seq, on_to);
}

/* A number is a revision; anything else a cursor. */
static int find_seq(const struct diff *diff, const char *text, uint64_t *seq, struct gw_error *err)
{
    size_t digits = strspn(text, "0123456789");
    uint64_t rev = 0;
    if (digits == 0 || digits > 9 || text[digits])
        return gw_read_open_cursor(diff->run, &diff->channel, text, seq, err);
    for (size_t i = 0; i < digits; i++)
        rev = rev * 10 + (uint64_t)(text[i] - '0');
    *seq = gw_state_commit_seq(diff->run->state, diff->request->set.ids[0], rev);
    if (*seq == 0)
        return gw_error_set(err, GW_ENOTFOUND, "unknown_commit", "the canvas has no revision %s", text);
    return *seq >= diff->run->floor_seq ? GW_OK : gw_read_say_unreadable(GW_ENOTFOUND, err);
}

static int find_ends(struct diff *diff, struct gw_error *err)
{
    int status = find_seq(diff, diff->request->cursor, &diff->from_seq, err);
    if (status) {
        gw_error_prefix(err, "?from");
        return status;
    }
    status = find_seq(diff, diff->request->to, &diff->to_seq, err);
    if (status)
        gw_error_prefix(err, "?to");
    return status;
}

void gw_run_read_diff(struct gw_run *run, struct gw_read *request)
{
    struct diff *diff = gw_alloc(sizeof *diff);
    struct gw_error err;
    *diff = (struct diff){.run = run, .request = request, .channel = gw_read_channel(run, request)};
    run->readers++;
    int status = find_ends(diff, &err);
    if (!status) {
        load(diff, diff->from_seq, on_from);
    } else if (status == GW_ESTATE && !request->has_refreshed) { /* another writer may have stored it */
        request->has_refreshed = true;
        gw_run_refresh(run);
        gw_run_put_read(run, request);
        destroy(diff);
    } else {
        refuse(diff, &err);
    }
}
