#include "app/paint.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct gw_paint gw_paint_for(FILE *out)
{
    const char *wish = getenv("NO_COLOR"), *terminal = getenv("TERM");
    bool is_dumb = terminal && strcmp(terminal, "dumb") == 0;
    if ((wish && wish[0]) || is_dumb || !isatty(fileno(out)))
        return (struct gw_paint){"", "", "", "", ""};
    return (struct gw_paint){"\033[32m", "\033[31m", "\033[2m", "\033[1m", "\033[0m"};
}
