/* diff.h — what differs between two states of one run, for one canvas and the Tokens, through a lens. Pure: reads both, changes neither. */
#ifndef GW_HUB_DIFF_H
#define GW_HUB_DIFF_H

struct gw_buffer;
struct gw_lens;
struct gw_state;

/* Appends the members, without braces: `"blocks":{"added":{id: block},"changed":{id: changes},"removed":{id: block}},"tokens":{key: change}`.
 * A change is {from?, to?}, without the one that stands for nothing. Changes of a block: `kind`, `text`, `vis`, `props` ({name: change}), and
 * where it stands: `parent` with `after` (its left neighbours' ids, null for the first) when it has another parent; `after` alone when it has
 * another left neighbour among the siblings that both states have below this parent, so that what was put in or taken away beside a block does
 * not show as a change of it. A canvas that was not mounted yet is empty. Failure shows as out->has_failed. */
void gw_diff_write(const struct gw_state *from, const struct gw_state *to, const struct gw_lens *lens, const char *canvas_id,
                   struct gw_buffer *out);

#endif
