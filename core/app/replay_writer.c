#include "app/replay_writer.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"

#define REOPEN_AFTER_NS UINT64_C(50000000)
#define BUSY_PAUSE_NS   UINT64_C(20000000)
#define ORDER_PAUSE_NS  UINT64_C(1000000)

/* Commands 0 and 1 prepare the canvas and the block; edit i is command i + 2. */
enum { MOUNT, INSERT, PREPARATIONS };

enum state { WAITING, IN_FLIGHT, ACKNOWLEDGED };

struct command {
    enum state state;
    uint64_t n;   /* of its author's origin */
    char *cursor; /* from its answer */
    char *base;   /* what it was first sent with; NULL: not yet */
};

struct gw_replay_writer {
    struct gw_replay_writer_spec spec;
    struct gw_client_wire_owner owner;
    struct gw_client_wire wire;
    struct command *commands;
    size_t command_count;
    size_t first_open; /* all before it are acknowledged */
    size_t newest;     /* the last acknowledged without a gap */
    uint64_t reopen_ns, pause_until_ns;
    struct gw_buffer body;
    struct gw_bench_histogram acks;
    struct gw_replay_write_counts counts;
};

/* ---- answers ------------------------------------------------------------------------------------------------------------------------ */

static void fail(struct gw_replay_writer *w, size_t index, const struct gw_client_answer *answer)
{
    int shown = (int)(answer->body_length < 160 ? answer->body_length : 160);
    if (!w->counts.has_failed) {
        w->counts.has_failed = true;
        (void)snprintf(w->counts.failure, sizeof w->counts.failure, "command %zu answered %d: %.*s", index, answer->status, shown,
                       answer->body);
    }
}

static char *copy_text(const struct gw_json *value)
{
    size_t length;
    const char *text = gw_json_text(value, &length);
    return gw_try_strndup(text, length);
}

static bool is_code(const struct gw_json *document, const char *code)
{
    const struct gw_json *held = gw_json_is_object(document) ? gw_json_get(document, "code") : NULL;
    return gw_json_is_string(held) && strcmp(gw_json_text(held, NULL), code) == 0;
}

/* One author alone may move on to what is acknowledged: nobody else's edits lie between. */
static void rebase(struct gw_replay_writer *w, struct command *command)
{
    gw_free(command->base);
    command->base = NULL;
    w->counts.rebased++;
}

static void on_refused(struct gw_replay_writer *w, size_t index, const struct gw_client_answer *answer, const struct gw_json *document)
{
    struct command *command = &w->commands[index];
    uint64_t now = gw_client_now_ns();
    command->state = WAITING;
    if (answer->status == 0) {
        return;
    }
    if (is_code(document, "out_of_order")) {
        w->counts.out_of_order++;
        w->pause_until_ns = now + ORDER_PAUSE_NS;
    } else if (answer->status == 503 || answer->status == 429) {
        w->counts.busy++;
        w->pause_until_ns = now + BUSY_PAUSE_NS;
    } else if (is_code(document, "base_too_old") && w->spec.trace->author_count == 1) {
        rebase(w, command);
    } else {
        fail(w, index, answer);
    }
}

static void on_committed(struct gw_replay_writer *w, size_t index, const struct gw_json *document)
{
    struct command *command = &w->commands[index];
    command->state = ACKNOWLEDGED;
    command->cursor = copy_text(gw_json_get(document, "cursor"));
    w->counts.last_progress_ns = gw_client_now_ns();
    w->counts.acknowledged += index >= PREPARATIONS ? 1 : 0;
    while (w->first_open < w->command_count && w->commands[w->first_open].state == ACKNOWLEDGED) {
        w->newest = w->first_open++;
    }
    w->counts.is_prepared = w->first_open >= PREPARATIONS;
    w->counts.is_done = w->first_open == w->command_count;
}

static void on_answer(void *self, struct gw_client_wire *wire, const struct gw_client_flight *flight, const struct gw_client_answer *answer)
{
    const struct gw_json_limits limits = {.max_bytes = 65536, .max_depth = 16, .max_nodes = 1024};
    struct gw_replay_writer *w = self;
    struct gw_json *document = NULL;
    struct gw_error err;
    size_t index = (size_t)flight->tag;
    (void)wire;
    /* A body that is no JSON is judged by its status alone. */
    bool is_object = gw_json_parse(answer->body, answer->body_length, &limits, &document, &err) == 0 && gw_json_is_object(document);
    if (answer->status == 200 && is_object && gw_json_is_string(gw_json_get(document, "cursor"))) {
        gw_bench_histogram_note(&w->acks, gw_client_now_ns() - flight->started_ns);
        on_committed(w, index, document);
    } else {
        on_refused(w, index, answer, document);
    }
    gw_json_unref(document);
}

static void on_lost(void *self, struct gw_client_wire *wire, const char *why)
{
    struct gw_replay_writer *w = self;
    (void)wire;
    (void)why;
    w->counts.disconnects++;
    w->reopen_ns = gw_client_now_ns() + REOPEN_AFTER_NS;
}

/* ---- commands ----------------------------------------------------------------------------------------------------------------------- */

static void begin_body(struct gw_replay_writer *w, size_t index, const char *type)
{
    gw_buffer_reset(&w->body);
    gw_buffer_appendf(&w->body, "{\"command_id\":\"%s-%zu\",\"type\":\"%s\",", w->spec.tag, index, type);
    gw_replay_scope_write_json(w->spec.scope, &w->body);
}

static void write_mount(struct gw_replay_writer *w)
{
    begin_body(w, MOUNT, "canvas.mount");
    gw_buffer_appendf(&w->body, ",\"args\":{\"canvas_type\":\"%s\"}}", w->spec.canvas_type);
}

static void write_insert(struct gw_replay_writer *w)
{
    begin_body(w, INSERT, "block.insert");
    gw_buffer_appendf(&w->body, ",\"args\":{\"block\":{\"id\":\"%s\",\"kind\":\"text\",\"parent\":null,\"text\":", w->spec.scope->block);
    gw_buffer_append_json_string(&w->body, w->spec.trace->start_text, w->spec.trace->start_length);
    gw_buffer_append_text(&w->body, "}}}");
}

/* The cursor of what the edit's author had seen. A repetition uses the same one: the same id with another body would be a conflict. */
static const char *base_of(struct gw_replay_writer *w, struct command *command, const struct gw_replay_edit *edit)
{
    if (command->base == NULL) {
        size_t seen = edit->seen >= 0 ? (size_t)edit->seen + PREPARATIONS : INSERT;
        if (w->counts.rebased > 0 && w->spec.trace->author_count == 1) {
            seen = w->newest;
        }
        command->base = gw_strdup(w->commands[seen].cursor);
    }
    return command->base;
}

static void write_splice(struct gw_replay_writer *w, size_t index)
{
    struct command *command = &w->commands[index];
    const struct gw_replay_edit *edit = &w->spec.trace->edits[index - PREPARATIONS];
    begin_body(w, index, "block.splice");
    gw_buffer_appendf(&w->body, ",\"base\":\"%s\",\"origin\":\"%s-%u\",\"n\":%llu,", base_of(w, command, edit), w->spec.tag, edit->author,
                      (unsigned long long)command->n);
    gw_buffer_appendf(&w->body, "\"args\":{\"id\":\"%s\",\"at\":%u,\"del\":%u,\"ins\":", w->spec.scope->block, edit->at, edit->del);
    gw_buffer_append_json_string(&w->body, edit->ins, edit->ins_length);
    gw_buffer_append_text(&w->body, "}}");
}

static void send_command(struct gw_replay_writer *w, size_t index)
{
    struct gw_buffer *out = &w->wire.out;
    if (index == MOUNT) {
        write_mount(w);
    } else if (index == INSERT) {
        write_insert(w);
    } else {
        write_splice(w, index);
    }
    gw_buffer_appendf(out, "POST /v1/commands HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n", w->spec.scope->url.authority);
    gw_buffer_appendf(out, "Authorization: Bearer %s\r\nContent-Length: %zu\r\n\r\n", w->spec.scope->bearer, w->body.length);
    gw_buffer_append(out, w->body.data, w->body.length);
    gw_client_wire_note(&w->wire, &(struct gw_client_flight){gw_client_now_ns(), index});
    w->commands[index].state = IN_FLIGHT;
    w->counts.sent++;
}

/* Whether command `index` may go out although [first_open, index) are not all acknowledged. The preparations go one by one. An author
 * waits for the other's earlier edits, so that the run's order is the trace's. */
static bool may_follow(const struct gw_replay_writer *w, size_t index)
{
    if (index < PREPARATIONS || w->first_open < PREPARATIONS) {
        return index == w->first_open;
    }
    const struct gw_replay_edit *edits = w->spec.trace->edits;
    return edits[index - PREPARATIONS].author == edits[w->first_open - PREPARATIONS].author;
}

static void send_window(struct gw_replay_writer *w)
{
    for (size_t i = w->first_open; i < w->command_count && i - w->first_open < w->spec.in_flight_max; i++) {
        if (w->wire.in_flight == w->wire.depth || !may_follow(w, i)) {
            break;
        }
        if (w->commands[i].state == WAITING) {
            send_command(w, i);
        }
    }
    gw_client_wire_flush(&w->wire);
}

static void open_wire(struct gw_replay_writer *w)
{
    struct gw_error err;
    w->reopen_ns = 0;
    if (gw_client_wire_open(&w->wire, &w->spec.scope->url, &err) != 0) {
        on_lost(w, &w->wire, err.message);
    }
}

void gw_replay_writer_pump(struct gw_replay_writer *w, uint64_t now_ns)
{
    if (w->reopen_ns != 0 && w->reopen_ns <= now_ns) {
        open_wire(w);
    }
    if (w->wire.is_open && w->pause_until_ns <= now_ns && !w->counts.is_done && !w->counts.has_failed) {
        send_window(w);
    }
}

/* ---- life --------------------------------------------------------------------------------------------------------------------------- */

struct gw_replay_writer *gw_replay_writer_create(const struct gw_replay_writer_spec *spec)
{
    struct gw_replay_writer *w = gw_alloc(sizeof *w);
    uint64_t next_n[GW_REPLAY_AUTHORS_MAX] = {0};
    w->spec = *spec;
    w->owner = (struct gw_client_wire_owner){w, on_answer, on_lost};
    w->command_count = spec->trace->edit_count + PREPARATIONS;
    w->commands = gw_alloc_array(w->command_count, sizeof w->commands[0]);
    for (size_t i = 0; i < spec->trace->edit_count; i++) {
        w->commands[i + PREPARATIONS].n = ++next_n[spec->trace->edits[i].author];
    }
    gw_client_wire_init(&w->wire, &w->owner, spec->in_flight_max);
    w->wire.epoll = spec->epoll;
    w->reopen_ns = 1;
    w->counts.last_progress_ns = gw_client_now_ns();
    gw_buffer_init(&w->body, 0);
    return w;
}

void gw_replay_writer_destroy(struct gw_replay_writer *w)
{
    if (w == NULL) {
        return;
    }
    for (size_t i = 0; i < w->command_count; i++) {
        gw_free(w->commands[i].cursor);
        gw_free(w->commands[i].base);
    }
    gw_client_wire_fini(&w->wire);
    gw_buffer_fini(&w->body);
    gw_free(w->commands);
    gw_free(w);
}

const struct gw_replay_write_counts *gw_replay_writer_counts(const struct gw_replay_writer *w) { return &w->counts; }

const struct gw_bench_histogram *gw_replay_writer_acks(const struct gw_replay_writer *w) { return &w->acks; }
