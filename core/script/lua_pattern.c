#include "script/lua_pattern.h"

#include <string.h>

#include "script/lua_pattern_items.h"

#define SPEND_EVERY    1024
#define BYTES_PER_STEP 16 /* of what is compared as a whole */

/* A place where the match may go on otherwise: a greedy item gives back down to `bound`, a lazy one takes up to it. */
struct choice {
    const struct gw_pattern_item *item;
    const char *at, *bound;
};

/* A pattern has no alternatives and no nested repetition: items are passed in order, each at most once on the way to a match. So the choices form one short stack,
 * and captures need no undoing: going back to an item passes all later captures again. */
struct matcher {
    struct gw_pattern_match *match;
    const char *begin, *end;
    const char *opened[GW_PATTERN_MAX_CAPTURES];
    size_t choice_count;
    struct choice choices[GW_PATTERN_MAX_CHOICES];
};

static void take_steps(struct gw_pattern_match *match, uint64_t count)
{
    match->steps += count;
    if (match->steps < SPEND_EVERY || match->spend == NULL)
        return;
    uint64_t steps = match->steps;
    match->steps = 0;
    match->spend(match->self, steps);
}

static void add_choice(struct matcher *m, const struct gw_pattern_item *item, const char *at, const char *bound)
{
    if (at != bound)
        m->choices[m->choice_count++] = (struct choice){item, at, bound};
}

/* How far a run of the class reaches, up to `most` bytes. */
static const char *run_of(struct matcher *m, const struct gw_pattern_item *item, const char *at, size_t most)
{
    const char *stop = (size_t)(m->end - at) > most ? at + most : m->end;
    const char *from = at;
    while (at < stop && gw_pattern_holds(item, (unsigned char)*at)) {
        at++;
        if (at - from == SPEND_EVERY) {
            take_steps(m->match, SPEND_EVERY);
            from = at;
        }
    }
    take_steps(m->match, (uint64_t)(at - from));
    return at;
}

static bool holds_here(const struct matcher *m, const struct gw_pattern_item *item, const char *at)
{
    return at < m->end && gw_pattern_holds(item, (unsigned char)*at);
}

static const char *pass_class(struct matcher *m, const struct gw_pattern_item *item, const char *at)
{
    const char *least = at;
    switch (item->quantifier) {
    case 0:
        return holds_here(m, item, at) ? at + 1 : NULL;
    case '-':
        add_choice(m, item, at, m->end);
        return at;
    case '?':
        at = run_of(m, item, at, 1);
        break;
    case '+':
        if (!holds_here(m, item, at))
            return NULL;
        least = at + 1;
        at = run_of(m, item, at, SIZE_MAX);
        break;
    default:
        at = run_of(m, item, at, SIZE_MAX);
        break;
    }
    add_choice(m, item, at, least);
    return at;
}

static const char *pass_again(struct matcher *m, const struct gw_pattern_item *item, const char *at)
{
    const struct gw_pattern_capture *capture = &m->match->captures[item->first];
    if ((size_t)(m->end - at) < capture->length)
        return NULL;
    take_steps(m->match, capture->length / BYTES_PER_STEP);
    return memcmp(at, m->begin + capture->start, capture->length) == 0 ? at + capture->length : NULL;
}

static const char *pass_balance(struct matcher *m, const struct gw_pattern_item *item, const char *at)
{
    if (at == m->end || (uint8_t)*at != item->first)
        return NULL;
    size_t depth = 1;
    for (at++; at < m->end; at++) {
        take_steps(m->match, 1);
        if ((uint8_t)*at == item->second && --depth == 0)
            return at + 1;
        if ((uint8_t)*at == item->first && item->first != item->second)
            depth++;
    }
    return NULL;
}

/* Beyond both ends of the subject stands a zero byte (manual 6.4.1). */
static const char *pass_frontier(const struct matcher *m, const struct gw_pattern_item *item, const char *at)
{
    unsigned char before = at == m->begin ? 0 : (unsigned char)at[-1];
    unsigned char here = at == m->end ? 0 : (unsigned char)*at;
    return !gw_pattern_holds(item, before) && gw_pattern_holds(item, here) ? at : NULL;
}

static void set_capture(struct matcher *m, unsigned number, const char *from, const char *to)
{
    struct gw_pattern_capture *capture = &m->match->captures[number];
    *capture = (struct gw_pattern_capture){.start = (size_t)(from - m->begin), .is_position = to == NULL};
    if (to != NULL)
        capture->length = (size_t)(to - from);
}

static const char *pass(struct matcher *m, const struct gw_pattern_item *item, const char *at)
{
    switch ((enum gw_pattern_kind)item->kind) {
    case GW_PATTERN_CLASS:
        return pass_class(m, item, at);
    case GW_PATTERN_OPEN:
        m->opened[item->first] = at;
        return at;
    case GW_PATTERN_POSITION:
        set_capture(m, item->first, at, NULL);
        return at;
    case GW_PATTERN_CLOSE:
        set_capture(m, item->first, m->opened[item->first], at);
        return at;
    case GW_PATTERN_AGAIN:
        return pass_again(m, item, at);
    case GW_PATTERN_BALANCE:
        return pass_balance(m, item, at);
    case GW_PATTERN_FRONTIER:
        return pass_frontier(m, item, at);
    case GW_PATTERN_LAST:
        return at == m->end ? at : NULL;
    case GW_PATTERN_FAULT:
        m->match->fault = item->fault;
        return NULL;
    default:
        return NULL;
    }
}

/* Back to the last place with another way on; its item, or NULL when there is none. */
static const struct gw_pattern_item *go_back(struct matcher *m, const char **at)
{
    while (m->choice_count > 0) {
        struct choice *choice = &m->choices[m->choice_count - 1];
        take_steps(m->match, 1);
        bool is_lazy = choice->item->quantifier == '-';
        if (choice->at == choice->bound || (is_lazy && !holds_here(m, choice->item, choice->at))) {
            m->choice_count--;
            continue;
        }
        choice->at += is_lazy ? 1 : -1;
        *at = choice->at;
        return choice->item;
    }
    return NULL;
}

static int match_here(struct matcher *m, const char *at)
{
    const struct gw_pattern_item *item = m->match->pattern->items;
    m->choice_count = 0;
    m->match->start = (size_t)(at - m->begin);
    take_steps(m->match, 1);
    while (item->kind != GW_PATTERN_DONE) {
        take_steps(m->match, 1);
        at = pass(m, item, at);
        if (m->match->fault != NULL)
            return -1;
        if (at == NULL)
            item = go_back(m, &at);
        if (item == NULL)
            return 0;
        item++;
    }
    m->match->end = (size_t)(at - m->begin);
    return 1;
}

static void init(struct matcher *m, struct gw_pattern_match *match)
{
    match->fault = NULL;
    m->match = match;
    m->begin = match->subject;
    m->end = match->subject + match->length;
}

int gw_pattern_match_at(struct gw_pattern_match *match, size_t at)
{
    struct matcher m;
    init(&m, match);
    return match_here(&m, m.begin + at);
}

int gw_pattern_find(struct gw_pattern_match *match, size_t at)
{
    struct matcher m;
    init(&m, match);
    size_t last = match->pattern->is_anchored ? at : match->length;
    int found = 0;
    for (; found == 0 && at <= last; at++)
        found = match_here(&m, m.begin + at);
    return found;
}
