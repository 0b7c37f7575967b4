/* wire.h — the wire port of the domain over the codecs: SSE frames, envelopes, sealed cursors. One per worker (the cipher contexts are a
 * thread's own); lives as long as its hub. */
#ifndef GW_TRANSPORT_WIRE_H
#define GW_TRANSPORT_WIRE_H

#include "hub/ports.h"

struct gw_cursor_ring;
struct gw_wire_codec;

/* `ring` is taken. */
struct gw_wire_codec *gw_wire_codec_create(struct gw_cursor_ring *ring /* taken */);
void gw_wire_codec_destroy(struct gw_wire_codec *codec);
const struct gw_wire *gw_wire_codec_port(const struct gw_wire_codec *codec);

#endif
