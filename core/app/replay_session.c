#include "app/replay_session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"

enum { EVENTS_A_TURN = 64, TURN_MS = 5, PROGRESS_EVERY_NS = 1000000000 };

struct session {
    const struct gw_replay_session_spec *spec;
    struct gw_replay_result *out;
    int epoll;
    struct gw_replay_writer *writer;
    struct gw_replay_followers followers;
    struct gw_replay_text expected;
    uint64_t random;   /* state */
    uint64_t *cuts_at; /* numbers of acknowledged edits, ascending */
    uint64_t written_from_ns, shown_ns;
};

/* splitmix64 (Steele, Lea, Flood 2014): a seed gives the same cuts again. */
static uint64_t draw(struct session *s, uint64_t below)
{
    uint64_t z = s->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return below > 0 ? (z ^ z >> 31) % below : 0;
}

static void plan_cuts(struct session *s)
{
    size_t count = s->spec->cut_count;
    s->cuts_at = gw_alloc_array(count + 1, sizeof s->cuts_at[0]);
    for (size_t i = 0; i < count; i++) {
        uint64_t at = draw(s, s->spec->trace->edit_count);
        size_t place = i;
        for (; place > 0 && s->cuts_at[place - 1] > at; place--) {
            s->cuts_at[place] = s->cuts_at[place - 1];
        }
        s->cuts_at[place] = at;
    }
}

/* A follower whose stream is open, the next one from a random place on; NULL when none is. */
static struct gw_replay_follower *pick_open(struct session *s)
{
    size_t count = s->followers.count;
    size_t from = (size_t)draw(s, count);
    for (size_t i = 0; i < count; i++) {
        struct gw_replay_follower *follower = &s->followers.items[(from + i) % count];
        if (follower->stream.state == GW_STREAM_OPEN) {
            return follower;
        }
    }
    return NULL;
}

/* Every second cut lasts a while, so that the resume has something to replay. */
static void cut_due(struct session *s, uint64_t now)
{
    const struct gw_replay_write_counts *written = gw_replay_writer_counts(s->writer);
    while (written->is_prepared && s->out->cuts < s->spec->cut_count && s->cuts_at[s->out->cuts] <= written->acknowledged) {
        struct gw_replay_follower *follower = pick_open(s);
        if (follower == NULL) {
            return;
        }
        gw_replay_follower_cut(follower, now, s->out->cuts % 2 == 0 ? 0 : draw(s, UINT64_C(300000000)));
        s->out->cuts++;
    }
}

/* Half of the followers are there before the run exists, the others come when the block stands. */
static void open_followers(struct session *s, uint64_t now)
{
    bool is_prepared = gw_replay_writer_counts(s->writer)->is_prepared;
    if (is_prepared && s->written_from_ns == 0) {
        s->written_from_ns = now;
        for (size_t i = 1; i < s->followers.count; i += 2) {
            s->followers.items[i].reopen_ns = 1;
        }
    }
    gw_replay_followers_open_due(&s->followers, now);
}

static void show_progress(struct session *s, uint64_t now)
{
    const struct gw_replay_write_counts *w = gw_replay_writer_counts(s->writer);
    if (!s->spec->shows_progress || now - s->shown_ns < PROGRESS_EVERY_NS) {
        return;
    }
    s->shown_ns = now;
    fprintf(stderr, "\r%llu of %zu edits, %zu cuts, %llu disconnects ", (unsigned long long)w->acknowledged, s->spec->trace->edit_count,
            s->out->cuts, (unsigned long long)w->disconnects);
}

static void turn(struct session *s)
{
    struct epoll_event events[EVENTS_A_TURN];
    int count = epoll_wait(s->epoll, events, EVENTS_A_TURN, TURN_MS);
    for (int i = 0; i < count; i++) {
        struct gw_client_conn *conn = events[i].data.ptr;
        if (conn->kind == GW_CLIENT_CONN_WIRE) {
            gw_client_wire_on_event((struct gw_client_wire *)conn, events[i].events);
        } else {
            gw_client_stream_on_event(&s->followers.host, (struct gw_client_stream *)conn, events[i].events);
        }
    }
    uint64_t now = gw_client_now_ns();
    gw_replay_writer_pump(s->writer, now);
    open_followers(s, now);
    cut_due(s, now);
    show_progress(s, now);
}

static size_t count_equal(const struct session *s)
{
    size_t equal = 0;
    for (size_t i = 0; i < s->followers.count; i++) {
        equal += gw_replay_text_equal(&s->followers.items[i].text, &s->expected) ? 1 : 0;
    }
    return equal;
}

static int write_all(struct session *s, struct gw_error *err)
{
    const struct gw_replay_write_counts *w = gw_replay_writer_counts(s->writer);
    uint64_t patience_ns = (uint64_t)(s->spec->patience_s * 1e9);
    while (!w->is_done && !w->has_failed) {
        turn(s);
        if (gw_client_now_ns() > w->last_progress_ns + patience_ns) {
            return gw_error_set(err, GW_ETIMEOUT, "no_progress", "nothing was acknowledged for %.0f s, after %llu edits",
                                s->spec->patience_s, (unsigned long long)w->acknowledged);
        }
    }
    return w->has_failed ? gw_error_set(err, GW_ESTATE, "refused", "%.230s", w->failure) : GW_OK;
}

/* Until all hold the text, or no frame has come for a while. */
static void follow_to_the_end(struct session *s)
{
    uint64_t frames = 0, changed_ns = gw_client_now_ns();
    uint64_t patience_ns = (uint64_t)(s->spec->patience_s * 1e9);
    uint64_t now = changed_ns;
    while (count_equal(s) < s->followers.count && now - changed_ns < patience_ns) {
        turn(s);
        now = gw_client_now_ns();
        if (s->followers.counts.frames != frames) {
            frames = s->followers.counts.frames;
            changed_ns = now;
        }
    }
}

static void compare(struct session *s)
{
    s->out->equal_followers = count_equal(s);
    for (size_t i = 0; i < s->followers.count; i++) {
        const struct gw_replay_text *text = &s->followers.items[i].text;
        if (s->out->difference[0] == '\0' && !gw_replay_text_equal(text, &s->expected)) {
            (void)snprintf(s->out->difference, sizeof s->out->difference, "follower %zu holds %zu code points, not %zu, and differs at %zu",
                           i, gw_replay_text_count(text), gw_replay_text_count(&s->expected),
                           gw_replay_text_difference(text, &s->expected));
        }
    }
}

static void init(struct session *s, const struct gw_replay_session_spec *spec)
{
    struct gw_replay_writer_spec writer = {.scope = spec->scope, .trace = spec->trace, .canvas_type = spec->canvas_type, .tag = spec->tag};
    writer.in_flight_max = spec->in_flight_max;
    writer.epoll = s->epoll;
    s->spec = spec;
    s->random = spec->seed;
    s->writer = gw_replay_writer_create(&writer);
    gw_replay_followers_init(&s->followers, spec->scope, spec->follower_count, s->epoll);
    for (size_t i = 0; i < spec->follower_count; i += 2) {
        s->followers.items[i].reopen_ns = 1;
    }
    gw_replay_text_init(&s->expected);
    gw_replay_text_set(&s->expected, spec->trace->end_text, spec->trace->end_length);
    plan_cuts(s);
}

static void fini(struct session *s)
{
    gw_replay_writer_destroy(s->writer);
    gw_replay_followers_fini(&s->followers);
    gw_replay_text_fini(&s->expected);
    gw_free(s->cuts_at);
    close(s->epoll);
}

int gw_replay_session_run(const struct gw_replay_session_spec *spec, struct gw_replay_result *out, struct gw_error *err)
{
    struct session s = {.out = out, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    *out = (struct gw_replay_result){0};
    if (s.epoll < 0) {
        return gw_error_set(err, GW_EIO, "epoll_failed", "epoll: %s", strerror(errno));
    }
    init(&s, spec);
    int rc = write_all(&s, err);
    out->written_s = s.written_from_ns > 0 ? (double)(gw_client_now_ns() - s.written_from_ns) / 1e9 : 0;
    if (rc == GW_OK) {
        follow_to_the_end(&s);
        compare(&s);
    }
    if (spec->shows_progress) {
        fputc('\n', stderr);
    }
    out->write = *gw_replay_writer_counts(s.writer);
    out->acks = *gw_replay_writer_acks(s.writer);
    out->follow = s.followers.counts;
    fini(&s);
    return rc;
}
