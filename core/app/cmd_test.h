/* cmd_test.h — the subcommand `test`: specs of policies and canvases, in the sandbox. Answers the exit code. */
#ifndef GW_APP_CMD_TEST_H
#define GW_APP_CMD_TEST_H

int gw_test_main(int argc, char **argv);

#endif
