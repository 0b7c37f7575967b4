#include "hub/checkpoint.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/keys.h"
#include "hub/loader.h"
#include "hub/ports.h"
#include "hub/state.h"

#define CHUNK_BYTES (512u << 10)
#define FORMAT      2

void gw_checkpoint_chunks_fini(struct gw_checkpoint_chunks *chunks)
{
    for (size_t i = 0; i < chunks->count; i++)
        gw_free(chunks->items[i]);
    gw_free(chunks->items);
    gw_free(chunks->lengths);
    memset(chunks, 0, sizeof *chunks);
}

static int grow(struct gw_checkpoint_chunks *chunks)
{
    if (chunks->count < chunks->capacity)
        return GW_OK;
    size_t capacity = chunks->capacity ? chunks->capacity * 2 : 8;
    char **items = gw_try_grow(chunks->items, capacity, sizeof *items);
    if (!items)
        return GW_ENOMEM;
    chunks->items = items;
    size_t *lengths = gw_try_grow(chunks->lengths, capacity, sizeof *lengths);
    if (!lengths)
        return GW_ENOMEM;
    chunks->lengths = lengths;
    chunks->capacity = capacity;
    return GW_OK;
}

int gw_checkpoint_emit(void *arg, const char *bytes, size_t length)
{
    struct gw_checkpoint_chunks *chunks = arg;
    if (grow(chunks))
        return GW_ENOMEM;
    char *copy = gw_try_strndup(bytes, length);
    if (!copy)
        return GW_ENOMEM;
    chunks->items[chunks->count] = copy;
    chunks->lengths[chunks->count++] = length;
    chunks->bytes += length;
    return GW_OK;
}

static int emit_head(const struct gw_state *state, uint64_t epoch, int64_t last_ts_ms, struct gw_checkpoint_chunks *out)
{
    struct gw_buffer head;
    gw_buffer_init(&head, 0);
    gw_buffer_appendf(&head, "{\"v\":%d,\"epoch\":\"%016" PRIx64 "\",\"seq\":%" PRIu64 ",\"at\":%" PRId64 "}", FORMAT, epoch,
                      gw_state_seq(state), last_ts_ms);
    int status = head.has_failed ? GW_ENOMEM : gw_checkpoint_emit(out, head.data, head.length);
    gw_buffer_fini(&head);
    return status;
}

int gw_checkpoint_write(const struct gw_state *state, uint64_t epoch, int64_t last_ts_ms, struct gw_checkpoint_chunks *out,
                        struct gw_error *err)
{
    int status = emit_head(state, epoch, last_ts_ms, out);
    if (!status)
        status = gw_state_save(state, CHUNK_BYTES, gw_checkpoint_emit, out, err);
    return status ? gw_error_set(err, status, "checkpoint_failed", "no memory to write a checkpoint") : GW_OK;
}

static int damaged(struct gw_error *err)
{
    return gw_error_set(err, GW_EINVAL, "checkpoint_damaged", "a stored checkpoint is not readable");
}

static int read_head(const char *text, size_t length, uint64_t seq, struct gw_loaded *loaded, struct gw_error *err)
{
    static const struct gw_json_limits limits = {.max_bytes = 4096, .max_depth = 2, .max_nodes = 16};
    struct gw_json *head;
    if (gw_json_parse(text, length, &limits, &head, err))
        return damaged(err);
    const struct gw_json *epoch = gw_json_get(head, "epoch"), *at = gw_json_get(head, "at"), *stored_seq = gw_json_get(head, "seq");
    const struct gw_json *version = gw_json_get(head, "v");
    bool is_good = gw_json_is_int(version) && gw_json_int(version) == FORMAT && gw_json_is_string(epoch) && gw_json_is_int(at) &&
                   gw_json_is_int(stored_seq) && (uint64_t)gw_json_int(stored_seq) == seq;
    if (is_good) {
        size_t text_length;
        loaded->epoch = strtoull(gw_json_text(epoch, &text_length), NULL, 16);
        loaded->last_ts_ms = gw_json_int(at);
        loaded->checkpoint_seq = seq;
    }
    gw_json_unref(head);
    return is_good ? GW_OK : damaged(err);
}

int gw_checkpoint_read(const struct gw_spine_get *stored, struct gw_loaded *loaded, struct gw_error *err)
{
    if (stored->chunk_count < 2)
        return damaged(err);
    int status = read_head(stored->chunks[0], stored->lengths[0], stored->seq, loaded, err);
    if (!status)
        status = gw_state_load(loaded->state, (const char *const *)stored->chunks + 1, stored->lengths + 1, stored->chunk_count - 1, err);
    return status;
}

int gw_checkpoint_read_filters(const struct gw_spine_get *stored, struct gw_keys *keys, struct gw_error *err)
{
    if (stored->status && stored->status != GW_ENOTFOUND) {
        *err = stored->err;
        return stored->status;
    }
    if (stored->status || stored->seq != stored->at_most_seq || stored->chunk_count != 1)
        return damaged(err);
    return gw_keys_load(keys, stored->chunks[0], stored->lengths[0], err);
}
