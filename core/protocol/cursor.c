#include "protocol/cursor.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/id.h"
#include "protocol/siv.h"

enum {
    LAYOUT = 1,
    FIXED_BYTES = 2 + 3 * 8, /* layout, encoder version, epoch, class, seq */
    PLAIN_MAX = FIXED_BYTES + 8 * GW_CURSOR_CANVASES_MAX,
    SEALED_MAX = GW_SIV_TAG_BYTES + PLAIN_MAX
};

_Static_assert(GW_BASE64URL_LENGTH(SEALED_MAX) < GW_CURSOR_TEXT_MAX, "the longest cursor and its NUL fit");
_Static_assert(GW_CURSOR_KEY_BYTES == GW_SIV_KEY_BYTES, "a key of the ring is a key of the cipher");

struct gw_cursor_ring {
    size_t count;
    struct gw_siv *keys[GW_CURSOR_KEYS_MAX];
};

/* ---- the canvas set ---- */

static uint64_t read_u64(const uint8_t *in)
{
    uint64_t value = 0;
    for (size_t i = 0; i < 8; i++)
        value = value << 8 | in[i];
    return value;
}

static uint8_t *write_u64(uint8_t *out, uint64_t value)
{
    for (size_t i = 8; i-- > 0; value >>= 8)
        out[i] = (uint8_t)value;
    return out + 8;
}

static void insert_digest(struct gw_cursor *cursor, uint64_t digest)
{
    size_t at = 0, count = cursor->canvas_count;
    while (at < count && cursor->canvas_digest[at] < digest)
        at++;
    if (at < count && cursor->canvas_digest[at] == digest)
        return;
    memmove(cursor->canvas_digest + at + 1, cursor->canvas_digest + at, (count - at) * sizeof digest);
    cursor->canvas_digest[at] = digest;
    cursor->canvas_count++;
}

void gw_cursor_set_canvases(struct gw_cursor *cursor, const char *const *ids, size_t count)
{
    assert(count <= GW_CURSOR_CANVASES_MAX);
    cursor->canvas_count = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t digest[GW_SHA256_BYTES];
        gw_sha256(ids[i], strlen(ids[i]), digest);
        insert_digest(cursor, read_u64(digest));
    }
}

bool gw_cursor_covers(const struct gw_cursor *cursor, const struct gw_cursor *wanted)
{
    size_t at = 0;
    if (cursor->canvas_count == 0 || wanted->canvas_count == 0)
        return cursor->canvas_count == 0;
    for (size_t i = 0; i < wanted->canvas_count; i++) {
        while (at < cursor->canvas_count && cursor->canvas_digest[at] < wanted->canvas_digest[i])
            at++;
        if (at == cursor->canvas_count || cursor->canvas_digest[at] != wanted->canvas_digest[i])
            return false;
    }
    return true;
}

/* ---- the ring ---- */

static struct gw_cursor_ring *create_empty(void)
{
    struct gw_cursor_ring *ring = gw_try_alloc(sizeof *ring);
    if (ring)
        *ring = (struct gw_cursor_ring){.count = 0};
    return ring;
}

static bool add(struct gw_cursor_ring *ring, struct gw_siv *key /* taken */)
{
    if (key)
        ring->keys[ring->count++] = key;
    return key != NULL;
}

struct gw_cursor_ring *gw_cursor_ring_create(const uint8_t key[GW_CURSOR_KEY_BYTES])
{
    struct gw_cursor_ring *ring = create_empty();
    if (ring && add(ring, gw_siv_create(key)))
        return ring;
    gw_cursor_ring_destroy(ring);
    return NULL;
}

struct gw_cursor_ring *gw_cursor_ring_dup(const struct gw_cursor_ring *ring)
{
    struct gw_cursor_ring *copy = create_empty();
    bool is_good = copy != NULL;
    for (size_t i = 0; i < ring->count && is_good; i++)
        is_good = add(copy, gw_siv_dup(ring->keys[i]));
    if (is_good)
        return copy;
    gw_cursor_ring_destroy(copy);
    return NULL;
}

void gw_cursor_ring_destroy(struct gw_cursor_ring *ring)
{
    for (size_t i = 0; ring && i < ring->count; i++)
        gw_siv_destroy(ring->keys[i]);
    gw_free(ring);
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static int add_from_text(struct gw_cursor_ring *ring, const char *text, size_t length, struct gw_error *err)
{
    uint8_t key[GW_CURSOR_KEY_BYTES];
    while (length && is_space(text[0])) {
        text++;
        length--;
    }
    while (length && is_space(text[length - 1]))
        length--;
    if (ring->count == GW_CURSOR_KEYS_MAX)
        return gw_error_set(err, GW_EINVAL, "bad_seal_keys", "More than %d sealing keys", GW_CURSOR_KEYS_MAX);
    if (length != GW_BASE64URL_LENGTH(GW_CURSOR_KEY_BYTES) || gw_base64url_decode(text, length, key) != GW_CURSOR_KEY_BYTES)
        return gw_error_set(err, GW_EINVAL, "bad_seal_keys", "Sealing key %zu is not base64url of %d bytes", ring->count + 1,
                            GW_CURSOR_KEY_BYTES);
    bool is_good = add(ring, gw_siv_create(key));
    gw_zero_secret(key, sizeof key);
    return is_good ? 0 : gw_error_set(err, GW_ENOMEM, "out_of_memory", "No memory for the sealing keys");
}

int gw_cursor_ring_parse(const char *text, struct gw_cursor_ring **out, struct gw_error *err)
{
    struct gw_cursor_ring *ring = create_empty();
    *out = NULL;
    if (!ring)
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "No memory for the sealing keys");
    for (const char *at = text; at;) {
        const char *comma = strchr(at, ',');
        int rc = add_from_text(ring, at, comma ? (size_t)(comma - at) : strlen(at), err);
        if (rc) {
            gw_cursor_ring_destroy(ring);
            return rc;
        }
        at = comma ? comma + 1 : NULL;
    }
    *out = ring;
    return 0;
}

/* ---- sealing ---- */

static size_t encode(const struct gw_cursor *cursor, uint8_t plain[PLAIN_MAX])
{
    uint8_t *at = plain;
    assert(cursor->canvas_count <= GW_CURSOR_CANVASES_MAX);
    *at++ = LAYOUT;
    *at++ = cursor->encoder_version;
    at = write_u64(at, cursor->epoch);
    at = write_u64(at, cursor->class_id);
    at = write_u64(at, cursor->seq);
    for (size_t i = 0; i < cursor->canvas_count; i++) {
        assert(i == 0 || cursor->canvas_digest[i - 1] < cursor->canvas_digest[i]);
        at = write_u64(at, cursor->canvas_digest[i]);
    }
    return (size_t)(at - plain);
}

static bool parse(const uint8_t *plain, size_t length, struct gw_cursor *out)
{
    if (length < FIXED_BYTES || (length - FIXED_BYTES) % 8 != 0 || plain[0] != LAYOUT)
        return false;
    *out = (struct gw_cursor){.encoder_version = plain[1]};
    out->epoch = read_u64(plain + 2);
    out->class_id = read_u64(plain + 10);
    out->seq = read_u64(plain + 18);
    out->canvas_count = (uint8_t)((length - FIXED_BYTES) / 8);
    for (size_t i = 0; i < out->canvas_count; i++)
        out->canvas_digest[i] = read_u64(plain + FIXED_BYTES + 8 * i);
    return true;
}

size_t gw_cursor_seal(struct gw_cursor_ring *ring, const struct gw_run_key *run, const struct gw_cursor *cursor,
                      char out[GW_CURSOR_TEXT_MAX])
{
    uint8_t plain[PLAIN_MAX], sealed[SEALED_MAX];
    size_t length = encode(cursor, plain);
    gw_siv_seal(ring->keys[0], &(struct gw_siv_input){run->text, strlen(run->text), plain, length}, sealed);
    return gw_base64url_encode(sealed, GW_SIV_TAG_BYTES + length, out);
}

static bool open_with_any(struct gw_cursor_ring *ring, const struct gw_siv_input *input, uint8_t plain[PLAIN_MAX])
{
    for (size_t i = 0; i < ring->count; i++)
        if (gw_siv_open(ring->keys[i], input, plain))
            return true;
    return false;
}

int gw_cursor_open(struct gw_cursor_ring *ring, const struct gw_run_key *run, const char *text, size_t length, struct gw_cursor *out)
{
    uint8_t sealed[SEALED_MAX], plain[PLAIN_MAX];
    ptrdiff_t count = length > GW_BASE64URL_LENGTH(SEALED_MAX) ? -1 : gw_base64url_decode(text, length, sealed);
    if (count < GW_SIV_TAG_BYTES + FIXED_BYTES)
        return GW_EINVAL;
    struct gw_siv_input input = {run->text, strlen(run->text), sealed, (size_t)count};
    if (!open_with_any(ring, &input, plain) || !parse(plain, (size_t)count - GW_SIV_TAG_BYTES, out))
        return GW_EINVAL;
    return 0;
}
