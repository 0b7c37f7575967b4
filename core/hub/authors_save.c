/* Rows [kind, canvas, block, name, [points, writer, …], [ever, …]] in arrays. A writer is the actor's id, null when unknown, 0 for any of the
 * last member, which is there only then. */
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/authors.h"
#include "hub/ports.h"
#include "hub/state_internal.h"
#include "hub/tokens.h"

static const char *const kinds[] = {[GW_AUTHORED_TOKEN] = "token", [GW_AUTHORED_PROP] = "prop", [GW_AUTHORED_TEXT] = "text"};

/* As for the chunks of a state. */
static const struct gw_json_limits chunk_limits = {.max_bytes = 256u << 20, .max_depth = 8, .max_nodes = 64u << 20};

/* ---- saving ---------------------------------------------------------------------------------------------------------------------------- */

static bool stands(const struct gw_authored *item, const struct gw_state *state)
{
    if (item->count == 0)
        return false;
    if (item->kind == GW_AUTHORED_TOKEN)
        return gw_tokens_value(state->tokens, item->name) != NULL;
    const struct gw_canvas *canvas = gw_state_canvas(state, item->canvas_id);
    const struct gw_block *block = canvas ? gw_blocks_find(canvas->blocks, item->block_id) : NULL;
    if (!block)
        return false;
    return item->kind == GW_AUTHORED_TEXT ? gw_block_text(block)->points > 0 : gw_json_get(gw_block_props(block), item->name) != NULL;
}

static void write_text(const char *text, struct gw_buffer *out) { gw_buffer_append_json_string(out, text, strlen(text)); }

static void write_writer(const struct gw_authors *authors, uint32_t writer, struct gw_buffer *out)
{
    if (writer >= GW_WRITER_FIRST)
        write_text(gw_authors_name(authors, writer), out);
    else
        gw_buffer_append_text(out, writer == GW_WRITER_ANY ? "0" : "null");
}

static void write_row(const struct gw_authors *authors, const struct gw_authored *item, struct gw_buffer *out)
{
    bool has_any = false;
    const char *const names[] = {kinds[item->kind], item->canvas_id, item->block_id, item->name};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        gw_buffer_append_char(out, i == 0 ? '[' : ',');
        write_text(names[i], out);
    }
    for (size_t i = 0; i < item->count; i++) {
        has_any |= item->stretches[i].writer == GW_WRITER_ANY;
        gw_buffer_append_text(out, i == 0 ? ",[" : ",");
        gw_buffer_append_u64(out, item->stretches[i].points);
        gw_buffer_append_char(out, ',');
        write_writer(authors, item->stretches[i].writer, out);
    }
    gw_buffer_append_char(out, ']');
    for (size_t i = 0; has_any && i < item->ever_count; i++) {
        gw_buffer_append_text(out, i == 0 ? ",[" : ",");
        write_writer(authors, item->ever[i], out);
    }
    gw_buffer_append_text(out, has_any && item->ever_count > 0 ? "]]" : "]");
}

static int close_chunk(struct gw_buffer *chunk, int (*emit)(void *arg, const char *bytes, size_t length), void *arg)
{
    gw_buffer_append_text(chunk, chunk->length == 0 ? "[]" : "]");
    int status = chunk->has_failed ? GW_ENOMEM : emit(arg, chunk->data, chunk->length);
    gw_buffer_reset(chunk);
    return status;
}

int gw_authors_save(const struct gw_authors *authors, const struct gw_state *state, size_t chunk_bytes,
                    int (*emit)(void *arg, const char *bytes, size_t length), void *arg, struct gw_error *err)
{
    struct gw_buffer chunk;
    gw_buffer_init(&chunk, 0);
    int status = GW_OK;
    for (const struct gw_authored *item = NULL; !status && (item = gw_authors_next(authors, item));) {
        if (!stands(item, state))
            continue;
        gw_buffer_append_text(&chunk, chunk.length == 0 ? "[" : ",\n");
        write_row(authors, item, &chunk);
        if (chunk.length >= chunk_bytes)
            status = close_chunk(&chunk, emit, arg);
    }
    if (!status)
        status = close_chunk(&chunk, emit, arg);
    gw_buffer_fini(&chunk);
    return status ? gw_error_set(err, status, "out_of_memory", "no memory to keep who wrote what") : GW_OK;
}

/* ---- loading --------------------------------------------------------------------------------------------------------------------------- */

static bool read_kind(const struct gw_json *value, enum gw_authored_kind *out)
{
    for (size_t i = 0; gw_json_is_string(value) && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(gw_json_text(value, NULL), kinds[i]) == 0) {
            *out = (enum gw_authored_kind)i;
            return true;
        }
    return false;
}

static int read_writer(struct gw_authors *authors, const struct gw_json *value, uint32_t *out)
{
    *out = gw_json_is_int(value) ? GW_WRITER_ANY : GW_WRITER_UNKNOWN;
    if (!gw_json_is_string(value))
        return GW_OK;
    *out = gw_authors_intern(authors, gw_json_text(value, NULL));
    return *out == GW_WRITER_UNKNOWN ? GW_ENOMEM : GW_OK;
}

static int load_stretches(struct gw_authors *authors, struct gw_authored *item, const struct gw_json *list)
{
    int status = GW_OK;
    for (size_t i = 0; !status && i + 1 < gw_json_count(list); i += 2) {
        const struct gw_json *points = gw_json_at(list, i);
        uint32_t writer;
        if (!gw_json_is_int(points) || gw_json_int(points) < 0 || gw_json_int(points) > INT32_MAX)
            return GW_EINVAL;
        status = read_writer(authors, gw_json_at(list, i + 1), &writer);
        if (!status)
            status = gw_authored_push(item, (uint32_t)gw_json_int(points), writer);
        if (!status)
            status = gw_authored_add_ever(item, writer);
    }
    return status;
}

static int load_row(struct gw_authors *authors, const struct gw_json *row)
{
    enum gw_authored_kind kind;
    const char *names[3];
    if (!read_kind(gw_json_at(row, 0), &kind) || !gw_json_is_array(gw_json_at(row, 4)))
        return GW_EINVAL;
    for (size_t i = 0; i < 3; i++) {
        const struct gw_json *name = gw_json_at(row, i + 1);
        if (!gw_json_is_string(name))
            return GW_EINVAL;
        names[i] = gw_json_text(name, NULL);
    }
    struct gw_authored *item = gw_authors_place(authors, kind, names[0], names[1], names[2]);
    int status = item ? load_stretches(authors, item, gw_json_at(row, 4)) : GW_ENOMEM;
    const struct gw_json *ever = gw_json_at(row, 5);
    for (size_t i = 0; !status && i < gw_json_count(ever); i++) {
        uint32_t writer;
        status = read_writer(authors, gw_json_at(ever, i), &writer);
        if (!status)
            status = gw_authored_add_ever(item, writer);
    }
    return status;
}

static int load_chunk(struct gw_authors *authors, const char *text, size_t length, struct gw_error *err)
{
    struct gw_json *rows;
    int status = gw_json_parse(text, length, &chunk_limits, &rows, err);
    if (status)
        return status == GW_ENOMEM ? status : GW_EINVAL;
    if (!gw_json_is_array(rows))
        status = GW_EINVAL;
    for (size_t i = 0; !status && i < gw_json_count(rows); i++)
        status = load_row(authors, gw_json_at(rows, i));
    gw_json_unref(rows);
    return status;
}

int gw_authors_load(struct gw_authors *authors, const struct gw_spine_get *stored, struct gw_error *err)
{
    int status = GW_OK;
    for (size_t i = 0; !status && i < stored->chunk_count; i++)
        status = load_chunk(authors, stored->chunks[i], stored->lengths[i], err);
    if (status == GW_ENOMEM)
        return gw_error_set(err, status, "out_of_memory", "no memory for who wrote what");
    return status ? gw_error_set(err, status, "authors_damaged", "what an erasure kept is not readable") : GW_OK;
}
