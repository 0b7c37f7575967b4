/* journal.h — what a group of changes would need to be undone. A change allocates its undo step before it touches anything,
 * applies itself, then pushes the step: so revert needs no memory and cannot fail. Outside begin … keep/revert a pushed step is
 * forgotten at once. Owned by the state whose parts share it; one thread. Not a log and not durable. */
#ifndef GW_HUB_JOURNAL_H
#define GW_HUB_JOURNAL_H

#include <stdbool.h>

/* Embedded as the first member of a step of any kind. Exactly one of the two callbacks runs, and frees the step. */
struct gw_undo {
    struct gw_undo *older;
    void (*revert)(struct gw_undo *step); /* puts back what stood before the change */
    void (*forget)(struct gw_undo *step); /* the change stands: releases what was kept for revert; may touch nothing else that a later
                                             change of the same group could have released */
};

/* value, embedded; zeroed memory is a closed journal */
struct gw_journal {
    struct gw_undo *newest;
    bool is_open;
};

void gw_journal_begin(struct gw_journal *journal); /* asserts that it is closed */
void gw_journal_push(struct gw_journal *journal, struct gw_undo *step /* taken */);
void gw_journal_keep(struct gw_journal *journal);   /* forgets all steps, oldest first, and closes */
void gw_journal_revert(struct gw_journal *journal); /* reverts all steps, newest first, and closes */
/* Reverts the steps newer than `mark`, which was `newest` at some time since begin (NULL: all); it stays open. */
void gw_journal_rewind(struct gw_journal *journal, const struct gw_undo *mark);

#endif
