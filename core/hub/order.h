/* order.h — short labels that put siblings in order: base-62 fractions (0-9 < A-Z < a-z) without trailing zeros, compared
 * bytewise. Between two labels there is nearly always room for a short one; where there is none, a window of neighbours gets new
 * labels in the same operation, pushed to the window's ends so that the free space lies where the insert happens. Pure functions;
 * any thread. Not a tree: blocks.h chooses the neighbours. */
#ifndef GW_HUB_ORDER_H
#define GW_HUB_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#define GW_ORDER_TARGET      16 /* characters that a label is kept to while its neighbourhood has room */
#define GW_ORDER_MAX         21 /* characters that a label may have at all */
#define GW_ORDER_RELABEL_MAX 64 /* neighbours that one insert may relabel */

/* value; NUL-terminated */
struct gw_order_label {
    char text[GW_ORDER_MAX + 1];
};

/* 1 to GW_ORDER_MAX characters of the alphabet, the last not '0'. */
bool gw_order_is_valid(const char *text, size_t length);

/* A label of at most GW_ORDER_TARGET characters strictly between `left` and `right` (NULL: the end on that side). GW_ELIMIT
 * (order_no_room) when there is none; no error text, since the caller then relabels. */
int gw_order_between(const char *left, const char *right, struct gw_order_label *out);

/* value: the neighbours of the place where an insert found no room. Labels nearest first: left[0] is directly before the place. */
struct gw_order_neighbours {
    const char *left[GW_ORDER_RELABEL_MAX + 1];
    const char *right[GW_ORDER_RELABEL_MAX + 1];
    size_t left_count, right_count; /* fewer than the arrays hold means: the list ends there */
};

/* value: new labels for left[0 .. left_count-1], right[0 .. right_count-1] (together ≤ GW_ORDER_RELABEL_MAX) and for the insert */
struct gw_order_spread {
    struct gw_order_label left[GW_ORDER_RELABEL_MAX];
    struct gw_order_label right[GW_ORDER_RELABEL_MAX];
    size_t left_count, right_count;
    struct gw_order_label inserted;
};

/* Chooses the smallest window that has room. GW_ELIMIT (order_no_room): not even the widest window has, at GW_ORDER_MAX characters. */
int gw_order_spread(const struct gw_order_neighbours *neighbours, struct gw_order_spread *out);

#endif
