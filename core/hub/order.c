#include "hub/order.h"

#include <assert.h>
#include <string.h>

#include "base/error.h"

/* A label is a number in units of 62^-21: 62^21 < 2^126, which leaves two bits for sums. */
__extension__ typedef unsigned __int128 number;

enum {
    RADIX = 62,
    RUN_CHARACTERS = 4, /* labels of a list that only grows at its ends: 7 million each way */
    PACK_SHIFT = 9,     /* a packed neighbour takes at most this part (2^-9) of its window */
    ROOMY_SHIFT = 37    /* a window of 2^37 units leaves packed neighbours at least 2^22 apart */
};

static const char ALPHABET[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* What one step of the n-th character is worth; 0 characters: the whole range. */
static number step_of(unsigned characters)
{
    number step = 1;
    for (unsigned i = characters; i < GW_ORDER_MAX; i++)
        step *= RADIX;
    return step;
}

static unsigned digit_of(char c)
{
    if (c <= '9')
        return (unsigned)(c - '0');
    if (c <= 'Z')
        return (unsigned)(c - 'A') + 10;
    return (unsigned)(c - 'a') + 36;
}

bool gw_order_is_valid(const char *text, size_t length)
{
    if (length == 0 || length > GW_ORDER_MAX || text[length - 1] == '0')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!text[i] || !strchr(ALPHABET, text[i]))
            return false;
    return true;
}

static number decode(const char *label)
{
    assert(gw_order_is_valid(label, strlen(label)));
    number value = 0;
    for (unsigned i = 0; i < GW_ORDER_MAX; i++) {
        value *= RADIX;
        if (*label)
            value += digit_of(*label++);
    }
    return value;
}

static void encode(number value, struct gw_order_label *out)
{
    assert(value > 0 && value < step_of(0));
    size_t length = GW_ORDER_MAX;
    for (size_t i = GW_ORDER_MAX; i-- > 0; value /= RADIX) {
        out->text[i] = ALPHABET[(unsigned)(value % RADIX)];
        if (i + 1 == length && out->text[i] == '0')
            length--;
    }
    out->text[length] = '\0';
}

/* The shortest number (in characters) from `first` to `last` that is a multiple of `unit`, near their middle; 0 when there is none. */
static number shortest_within(number first, number last, number unit)
{
    if (first > last)
        return 0;
    number middle = first + (last - first) / 2;
    for (unsigned characters = 1; characters <= GW_ORDER_MAX; characters++) {
        number step = step_of(characters);
        if (step < unit)
            break;
        number below = middle / step * step;
        if (below >= first && below > 0)
            return below;
        if (below + step <= last)
            return below + step;
    }
    return 0;
}

/* A short number strictly between, away from both bounds where that is possible; 0 when there is none. */
static number pick_between(number low, number high, number unit)
{
    number gap = high - low;
    number found = shortest_within(low + gap * 3 / 8 + 1, low + gap * 5 / 8, unit);
    return found ? found : shortest_within(low + 1, high - 1, unit);
}

/* One step on from a list's end, so that appending and prepending use up labels slowly; 0 when that leaves the range. */
static number pick_beyond(const char *left, const char *right)
{
    number step = step_of(RUN_CHARACTERS);
    if (left)
        return decode(left) / step * step + step < step_of(0) ? decode(left) / step * step + step : 0;
    number value = decode(right);
    return value > step ? (value - 1) / step * step : 0;
}

int gw_order_between(const char *left, const char *right, struct gw_order_label *out)
{
    number low = left ? decode(left) : 0;
    number high = right ? decode(right) : step_of(0);
    assert(low < high);
    number value = !left != !right ? pick_beyond(left, right) : 0;
    if (!value)
        value = pick_between(low, high, step_of(GW_ORDER_TARGET));
    if (!value)
        return GW_ELIMIT;
    encode(value, out);
    return 0;
}

/* value: which neighbours get new labels, and the labels that bound them */
struct window {
    size_t left_count, right_count;
    number low, high;
};

static struct window window_of(const struct gw_order_neighbours *n, size_t left_count, size_t right_count)
{
    struct window w = {left_count, right_count, 0, step_of(0)};
    if (left_count < n->left_count)
        w.low = decode(n->left[left_count]);
    if (right_count < n->right_count)
        w.high = decode(n->right[right_count]);
    return w;
}

/* The widest of the windows that relabel `count` neighbours, as far as the list has them. */
static struct window widest_window(const struct gw_order_neighbours *n, size_t count)
{
    size_t least = count > n->right_count ? count - n->right_count : 0;
    size_t most = count < n->left_count ? count : n->left_count;
    if (least > most)
        return window_of(n, n->left_count, n->right_count);
    struct window best = window_of(n, least, count - least);
    for (size_t left = least + 1; left <= most; left++) {
        struct window w = window_of(n, left, count - left);
        if (w.high - w.low > best.high - best.low)
            best = w;
    }
    return best;
}

/* How far apart neighbours are packed: a whole step of some character, so that labels stay short. 0: the window has no room at all. */
static number packing_step(const struct window *w, number unit)
{
    number slots = (w->high - w->low) / unit;
    if (slots < w->left_count + w->right_count + 4)
        return 0;
    number wanted = (w->high - w->low) >> PACK_SHIFT;
    for (unsigned characters = 1; characters <= GW_ORDER_MAX; characters++)
        if (step_of(characters) <= wanted && step_of(characters) >= unit)
            return step_of(characters);
    return unit;
}

/* Both groups go to the window's ends and the free space between them: inserts come in runs, and the next one is likely to come here too.
 */
static int spread_window(const struct window *w, number unit, struct gw_order_spread *out)
{
    number step = packing_step(w, unit);
    if (!step)
        return GW_ELIMIT;
    number low = w->low / step * step;
    number high = (w->high + step - 1) / step * step;
    for (size_t i = 0; i < w->left_count; i++)
        encode(low + step * (w->left_count - i), &out->left[i]);
    for (size_t i = 0; i < w->right_count; i++)
        encode(high - step * (w->right_count - i), &out->right[i]);
    low = w->left_count ? low + step * w->left_count : w->low;
    high = w->right_count ? high - step * w->right_count : w->high;
    number value = low < high ? pick_between(low, high, unit) : 0;
    if (!value)
        return GW_ELIMIT;
    encode(value, &out->inserted);
    out->left_count = w->left_count;
    out->right_count = w->right_count;
    return 0;
}

int gw_order_spread(const struct gw_order_neighbours *neighbours, struct gw_order_spread *out)
{
    number unit = step_of(GW_ORDER_TARGET);
    struct window w = {0};
    for (size_t count = 8; count <= GW_ORDER_RELABEL_MAX; count *= 2) {
        w = widest_window(neighbours, count);
        if ((w.high - w.low) / unit >> ROOMY_SHIFT)
            break;
    }
    if (!spread_window(&w, unit, out))
        return 0;
    return spread_window(&w, 1, out);
}
