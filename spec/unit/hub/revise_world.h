/* revise_world.h — a run with its log, in which commands are taken back: for the specs of undo and restore. Commands are c1, c2 …, and
 * their events name them. */
#ifndef GW_SPEC_REVISE_WORLD_H
#define GW_SPEC_REVISE_WORLD_H

#include "hub/blocks.h"
#include "hub/revise.h"
#include "hub/state_internal.h"
#include "support/state_fixture.h"

struct world {
    struct fixture f;
    struct gw_json *skipped; /* of the last revision */
};

/* A command of `actor`, whose events name it as their cause. Its id is c1, c2 … */
void as(struct world *w, const char *actor, const char *members);
void ann(struct world *w, const char *members);
void bob(struct world *w, const char *members);
/* Its id is the next c<n>; answers how many events it made. */
size_t revise(struct world *w, const char *actor, const char *members);
void undo(struct world *w, const char *actor, const char *of);
void must_not_revise(struct world *w, const char *members, const char *id, const char *path);
int open_world(void **state);
int close_world(void **state);
void splice(struct world *w, const char *actor, const char *id, const char *edit);
char *keep(struct world *w);
/* The state is what it was, save for labels: order shows as neighbours. */
void assert_back(struct world *w, char *kept /* taken */);
void assert_order(struct world *w, const char *parent, const char *expected);
void assert_text(struct world *w, const char *id, const char *expected);
void assert_skipped(struct world *w, const char *expected);

#define INSERT(id, more) ON_C "\"type\":\"block.insert\",\"args\":{\"block\":{\"id\":\"" id "\",\"kind\":\"task\"" more "}}"
#define UPDATE(id, more) ON_C "\"type\":\"block.update\",\"args\":{\"id\":\"" id "\"" more "}"
#define MOVE(id, more)   ON_C "\"type\":\"block.move\",\"args\":{\"id\":\"" id "\"" more "}"
#define REMOVE(id)       ON_C "\"type\":\"block.remove\",\"args\":{\"id\":\"" id "\"}"
#define RESTORE(rev)     ON_C "\"type\":\"canvas.restore\",\"args\":{\"rev\":" #rev "}"
#define COMMIT           ON_C "\"type\":\"canvas.commit\""

#endif
