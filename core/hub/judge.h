/* judge.h — what becomes of commands on the run's owner: known or new, executed or refused, and how a submission is told. For the run_*.c files alone. */
#ifndef GW_HUB_JUDGE_H
#define GW_HUB_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

struct gw_error;
struct gw_event_list;
struct gw_run;
struct gw_submission;

/* run_keys.c: what took effect before */
/* ANSWERED: claimed, its answer given or being read. REUSED: committed with another body. LATER: inbox_waits is set. */
enum gw_known { GW_KNOWN_NOT, GW_KNOWN_ANSWERED, GW_KNOWN_REUSED, GW_KNOWN_LATER };
enum gw_known gw_run_known(struct gw_run *run, struct gw_submission *submission, size_t index);

/* run_flow.c: a run that does not exist yet may be opened from a flow, which is asked for first. True: inbox_waits is set. */
bool gw_run_waits_for_flow(struct gw_run *run, const struct gw_submission *submission);

/* run_judge.c */
/* JUDGED: every command is claimed; the submission may be gone. LATER: put it back. BROKEN: the state cannot be trusted, and at least one command is unclaimed. */
enum gw_judged { GW_JUDGED, GW_JUDGE_LATER, GW_JUDGE_BROKEN };
enum gw_judged gw_run_judge_one(struct gw_run *run, struct gw_submission *submission);

/* run_execute.c: one command. Whatever is not EXECUTED left record and, but for BROKEN, state as they were, and filled *err. AHEAD: its base lies behind the
 * end of what is known here. NO_ROOM: the record would be too large. */
enum gw_executed { GW_EXECUTED, GW_EXECUTE_REFUSED, GW_EXECUTE_AHEAD, GW_EXECUTE_NO_ROOM, GW_EXECUTE_BROKEN };
/* Its events, stamped but not folded. */
/* Do events of this run say what blocks and messages have become, whole? */
bool gw_run_keeps_whole(const struct gw_run *run);
enum gw_executed gw_run_resolve(struct gw_run *run, struct gw_submission *submission, size_t index, struct gw_event_list *events,
                                struct gw_error *err);
enum gw_executed gw_run_fold(struct gw_run *run, const struct gw_event_list *events, struct gw_error *err);
/* Resolves, writes into the gathering record under the key that gw_run_known found to be new, folds. */
enum gw_executed gw_run_gather(struct gw_run *run, struct gw_submission *submission, size_t index, struct gw_error *err);

/* submission.c: each gives one command its outcome; the last of them hands the submission back, which must not be touched afterwards */
void gw_submission_settle(struct gw_submission *submission, size_t index, const char *answer, size_t length);
void gw_submission_refuse(struct gw_submission *submission, size_t index, const struct gw_error *err);
void gw_submission_refuse_all(struct gw_submission *submission, const struct gw_error *err); /* all that are unclaimed */

/* run_changes.c */
/* Refuses one command by the state as it now is; with what changed since its base, if it has one and this is a conflict. Claimed at once, told perhaps later. */
void gw_run_refuse(struct gw_run *run, struct gw_submission *submission, size_t index, const struct gw_error *err);
void gw_run_serve_changes(struct gw_run *run);
/* The state that they were judged by is gone: they are told without. */
void gw_run_drop_changes(struct gw_run *run);

#endif
