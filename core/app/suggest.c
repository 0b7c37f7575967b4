#include "app/suggest.h"

#include <string.h>

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* Optimal string alignment: Damerau-Levenshtein without editing a swapped pair again. */
size_t gw_suggest_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][GW_SUGGEST_MAX + 1];
    if (a_length > GW_SUGGEST_MAX || b_length > GW_SUGGEST_MAX)
        return GW_SUGGEST_MAX;
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *second_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], second_above[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

size_t gw_suggest_limit(size_t length) { return length <= 3 ? 1 : length <= 8 ? 2 : 3; }
