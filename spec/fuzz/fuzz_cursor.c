/* fuzz_cursor.c — any text as cursor and as key list: no crash, nothing foreign opens; any fields as cursor: sealing and opening agree. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/id.h"
#include "protocol/cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t key[GW_CURSOR_KEY_BYTES] = {1, 2, 3};
static const struct gw_run_key run = {.text = "t/m/p/r"};

/* An opened text is one that sealing its content gives back: there is one spelling of each cursor. */
static void open_any(struct gw_cursor_ring *ring, const char *text, size_t length)
{
    struct gw_cursor cursor;
    char again[GW_CURSOR_TEXT_MAX];
    if (gw_cursor_open(ring, &run, text, length, &cursor) != 0)
        return;
    assert(gw_cursor_seal(ring, &run, &cursor, again) == length);
    assert(memcmp(again, text, length) == 0);
}

static void seal_any(struct gw_cursor_ring *ring, const uint8_t *data, size_t size)
{
    struct gw_cursor cursor = {0}, opened;
    char text[GW_CURSOR_TEXT_MAX];
    const char *ids[GW_CURSOR_CANVASES_MAX];
    char names[GW_CURSOR_CANVASES_MAX][2] = {{0}};
    size_t count = size > 24 ? size - 24 : 0;
    if (count > GW_CURSOR_CANVASES_MAX)
        count = GW_CURSOR_CANVASES_MAX;
    if (size)
        memcpy(&cursor, data, size < 24 ? size : 24);
    for (size_t i = 0; i < count; i++) {
        names[i][0] = (char)('a' + data[24 + i] % 26);
        ids[i] = names[i];
    }
    gw_cursor_set_canvases(&cursor, ids, count);
    size_t length = gw_cursor_seal(ring, &run, &cursor, text);
    assert(gw_cursor_open(ring, &run, text, length, &opened) == 0);
    assert(opened.epoch == cursor.epoch && opened.class_id == cursor.class_id && opened.seq == cursor.seq);
    assert(gw_cursor_covers(&opened, &cursor) && gw_cursor_covers(&cursor, &opened));
}

static void parse_any(const uint8_t *data, size_t size)
{
    struct gw_cursor_ring *ring;
    struct gw_error err;
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    gw_cursor_ring_parse(text, &ring, &err);
    gw_cursor_ring_destroy(ring);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_cursor_ring *ring = gw_cursor_ring_create(key);
    char *exact = malloc(size);
    if (size)
        memcpy(exact, data, size);
    open_any(ring, exact, size);
    seal_any(ring, (const uint8_t *)exact, size);
    parse_any(data, size);
    free(exact);
    gw_cursor_ring_destroy(ring);
    return 0;
}
