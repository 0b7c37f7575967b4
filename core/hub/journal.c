#include "hub/journal.h"

#include <assert.h>
#include <stddef.h>

void gw_journal_begin(struct gw_journal *journal)
{
    assert(!journal->is_open && !journal->newest);
    journal->is_open = true;
}

void gw_journal_push(struct gw_journal *journal, struct gw_undo *step)
{
    if (!journal->is_open) {
        step->forget(step);
        return;
    }
    step->older = journal->newest;
    journal->newest = step;
}

void gw_journal_keep(struct gw_journal *journal)
{
    assert(journal->is_open);
    struct gw_undo *oldest = NULL;
    while (journal->newest) {
        struct gw_undo *step = journal->newest;
        journal->newest = step->older;
        step->older = oldest;
        oldest = step;
    }
    journal->is_open = false;
    while (oldest) {
        struct gw_undo *step = oldest;
        oldest = step->older;
        step->forget(step);
    }
}

void gw_journal_rewind(struct gw_journal *journal, const struct gw_undo *mark)
{
    assert(journal->is_open);
    while (journal->newest != mark) {
        struct gw_undo *step = journal->newest;
        journal->newest = step->older;
        step->revert(step);
    }
}

void gw_journal_revert(struct gw_journal *journal)
{
    gw_journal_rewind(journal, NULL);
    journal->is_open = false;
}
