/* cmd_version.h — the subcommand `atoms version`. */
#ifndef GW_APP_CMD_VERSION_H
#define GW_APP_CMD_VERSION_H

/* Prints "atoms " and the version. Exit code. */
int gw_version_main(int argc, char **argv);

#endif
