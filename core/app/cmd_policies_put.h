/* cmd_policies_put.h — `atoms policies put`: policies of one tenant, checked and written to the registry as a new version, which a running gateway then switches to. */
#ifndef GW_APP_CMD_POLICIES_PUT_H
#define GW_APP_CMD_POLICIES_PUT_H

/* argv[0] is "put"; answers the exit code */
int gw_policies_put_main(int argc, char **argv);

#endif
