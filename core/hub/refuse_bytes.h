/* refuse_bytes.h — rule 3: text that would smuggle bytes into an event is refused. Judged are values as they stand after an operation, so
 * splitting bytes over several operations does not help. Owns nothing; pure; any thread. Refused, each with id bytes_refused:
 *   control characters (C0 but \t \n \r, DEL, C1) · data: URIs marked ;base64 · data: URIs of a registered media type other than text/ ·
 *   unbroken runs of [A-Za-z0-9+/_-] longer than the maximum (base64, base64url and hex alike).
 * Prose, code and JWTs (whose dots break runs) pass. Not for sidecar references, which are typed elsewhere. */
#ifndef GW_HUB_REFUSE_BYTES_H
#define GW_HUB_REFUSE_BYTES_H

#include <stdbool.h>
#include <stddef.h>

struct gw_error;
struct gw_json;

/* How far a data: URI is looked for around a change, in bytes. */
#define GW_REFUSE_HEADER_MAX 160

/* Judges one whole text of valid UTF-8. GW_OK, or GW_EINVAL with err->path "". */
int gw_refuse_bytes_text(const char *text, size_t length, size_t max_run, struct gw_error *err);

/* Judges every string and key inside `value`; err->path is the pointer within it. */
int gw_refuse_bytes_json(const struct gw_json *value, size_t max_run, struct gw_error *err);

/* value: the surroundings of a change: `left` ends where the inserted text begins, `right` begins where it ends. Each must reach max_run +
 * 1 or GW_REFUSE_HEADER_MAX bytes from the change, whichever is more, or to the end of the text; less of a side suffices once it holds a
 * byte that breaks runs and GW_REFUSE_HEADER_MAX bytes. Cuts inside a code point do no harm. */
struct gw_refuse_change {
    const char *left, *ins, *right;
    size_t left_length, ins_length, right_length;
};
/* Does the text hold a byte that breaks runs? */
bool gw_refuse_bytes_has_break(const char *text, size_t length);
/* Judges the text after the change, given that it passed before it. Costs O(inserted + looked at), not O(text). */
int gw_refuse_bytes_change(const struct gw_refuse_change *change, size_t max_run, struct gw_error *err);

#endif
