/* plain_wire.h — a wire port that people can read: one line a frame, cursors in clear. For the specs of the hub. Pure; no memory of its own.
 *
 *   E|<seq>|<cursor>|<type>|<canvas>|<cause>|<data>     an event
 *   I|<seq>|<cursor>                                    an id-only frame
 *   C|<type> <canvas>|<cursor or ->|<data>              a frame of a checkpoint */
#ifndef GW_SPEC_PLAIN_WIRE_H
#define GW_SPEC_PLAIN_WIRE_H

#include "hub/ports.h"

const struct gw_wire *plain_wire(void);
/* The position that a cursor of this wire names. */
bool plain_wire_read(const char *cursor, size_t length, struct gw_position *out);

#endif
