/* runs.h — who put and took which points of one text since a turn began: pieces in order, those that are gone among them, so that the
 * turn's part can be taken back wherever it has come to stand. The text before the turn is one endless piece. Pure; one thread. */
#ifndef GW_HUB_RUNS_H
#define GW_HUB_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_json;
struct gw_runs;
struct gw_splice;

struct gw_runs *gw_runs_create(void); /* NULL when memory is gone */
void gw_runs_destroy(struct gw_runs *runs);
size_t gw_runs_count(const struct gw_runs *runs);
/* One plain splice of the text as it stood then. `is_own`: the turn's; `cut` is then the text that it removes (NULL when it removes
 * nothing). GW_ENOMEM. */
int gw_runs_splice(struct gw_runs *runs, const struct gw_splice *splice, bool is_own, const char *cut);
/* What takes the turn's part back: an array of {at, del, ins}, to be applied in this order, the last place first. NULL: no memory. */
struct gw_json *gw_runs_invert(const struct gw_runs *runs);

#endif
