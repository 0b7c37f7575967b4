#include "app/cmd_version.h"

#include <stdio.h>

#include "app/usage.h"
#include "app/version.h"

int gw_version_main(int argc, char **argv)
{
    static const struct gw_client_option options[] = {{.name = NULL}};
    static const struct gw_usage usage = {"version", "", "Prints which version of atoms this is.\n", options, NULL};
    enum gw_usage_answer answer = gw_usage_read(&usage, argc, argv);
    if (answer != GW_USAGE_GO)
        return answer == GW_USAGE_HELP ? 0 : 2;
    printf("atoms %s\n", GW_VERSION);
    return 0;
}
