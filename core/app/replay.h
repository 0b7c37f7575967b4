/* replay.h — the subcommand `atoms replay-trace`: types a recorded editing history into a running gateway, keystroke by keystroke, while
 * subscribers fold the text from their streams alone, are cut and resume; then compares what each holds with the recorded end. A client
 * like any other: it knows the gateway only by its HTTP surface. */
#ifndef GW_APP_REPLAY_H
#define GW_APP_REPLAY_H

/* `argv[0]` is the subcommand's name. 0: every subscriber ended with the recorded text; 1: one did not; 2: it could not run. */
int gw_replay_main(int argc, char **argv);

#endif
