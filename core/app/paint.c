#include "app/paint.h"

#include <stdlib.h>
#include <unistd.h>

struct gw_paint gw_paint_for(FILE *out)
{
    const char *wish = getenv("NO_COLOR");
    if ((wish && wish[0]) || !isatty(fileno(out)))
        return (struct gw_paint){"", "", "", "", ""};
    return (struct gw_paint){"\033[32m", "\033[31m", "\033[2m", "\033[1m", "\033[0m"};
}
