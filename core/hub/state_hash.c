#include "hub/state_hash.h"

#include "base/buffer.h"
#include "base/error.h"
#include "hub/blocks_digest.h"
#include "hub/state_internal.h"
#include "hub/tokens.h"

static int digest_tokens(const struct gw_tokens *tokens, uint8_t out[GW_SHA256_BYTES])
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_tokens_write_values(tokens, NULL, &text);
    bool has_failed = text.has_failed;
    if (!has_failed)
        gw_sha256(text.data, text.length, out);
    gw_buffer_fini(&text);
    return has_failed ? GW_ENOMEM : GW_OK;
}

int gw_state_hash(const struct gw_state *state, struct gw_canvas *canvas, char out[GW_STATE_HASH_SIZE])
{
    uint8_t bytes[1 + 2 * GW_SHA256_BYTES] = {0x02}, digest[GW_SHA256_BYTES];
    if (gw_blocks_digest(canvas->blocks, bytes + 1) || digest_tokens(state->tokens, bytes + 1 + GW_SHA256_BYTES))
        return GW_ENOMEM;
    gw_sha256(bytes, sizeof bytes, digest);
    gw_hex_encode(digest, sizeof digest, out);
    return GW_OK;
}
