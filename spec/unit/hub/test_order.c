/* Order labels under the insert patterns that use them up fastest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "hub/order.h"

enum { INSERT_COUNT = 100000 };

struct item {
    struct item *previous, *next;
    struct gw_order_label label;
};

/* A sibling list with sentinel ends, and what its inserts cost. */
struct list {
    struct item head, tail;
    struct item *items;
    size_t count, longest, relabel_events, relabels, most_relabels;
};

static void list_init(struct list *list, size_t capacity)
{
    memset(list, 0, sizeof *list);
    list->head.next = &list->tail;
    list->tail.previous = &list->head;
    list->items = gw_alloc_array(capacity, sizeof *list->items);
}

static void list_fini(struct list *list) { gw_free(list->items); }

static void note_length(struct list *list, const struct gw_order_label *label)
{
    size_t length = strlen(label->text);
    assert_true(gw_order_is_valid(label->text, length));
    if (length > list->longest)
        list->longest = length;
}

static size_t set_labels(struct list *list, struct item *item, const struct gw_order_label *labels, size_t count, int is_left)
{
    size_t changed = 0;
    for (size_t i = 0; i < count; i++, item = is_left ? item->previous : item->next) {
        changed += strcmp(item->label.text, labels[i].text) != 0;
        item->label = labels[i];
        note_length(list, &labels[i]);
    }
    return changed;
}

static void relabel(struct list *list, struct item *left, struct item *right, struct gw_order_label *out)
{
    struct gw_order_neighbours n = {0};
    for (struct item *i = left; i != &list->head && n.left_count <= GW_ORDER_RELABEL_MAX; i = i->previous)
        n.left[n.left_count++] = i->label.text;
    for (struct item *i = right; i != &list->tail && n.right_count <= GW_ORDER_RELABEL_MAX; i = i->next)
        n.right[n.right_count++] = i->label.text;
    struct gw_order_spread spread;
    assert_int_equal(gw_order_spread(&n, &spread), 0);
    size_t changed = set_labels(list, left, spread.left, spread.left_count, 1);
    changed += set_labels(list, right, spread.right, spread.right_count, 0);
    assert_true(spread.left_count + spread.right_count <= GW_ORDER_RELABEL_MAX);
    list->relabel_events++;
    list->relabels += changed;
    if (changed > list->most_relabels)
        list->most_relabels = changed;
    *out = spread.inserted;
}

static struct item *insert_after(struct list *list, struct item *left)
{
    struct item *right = left->next;
    struct item *item = &list->items[list->count++];
    const char *low = left == &list->head ? NULL : left->label.text;
    const char *high = right == &list->tail ? NULL : right->label.text;
    if (gw_order_between(low, high, &item->label))
        relabel(list, left, right, &item->label);
    note_length(list, &item->label);
    *item = (struct item){left, right, item->label};
    left->next = item;
    right->previous = item;
    return item;
}

static void check_order(const struct list *list)
{
    size_t seen = 0;
    for (const struct item *i = list->head.next; i != &list->tail; i = i->next, seen++)
        if (i->previous != &list->head)
            assert_true(strcmp(i->previous->label.text, i->label.text) < 0);
    assert_int_equal(seen, list->count);
}

static void report(struct list *list, const char *name)
{
    check_order(list);
    printf("  %-28s %zu inserts, longest label %zu, %zu relabelled in %zu events, at most %zu\n", name, list->count, list->longest,
           list->relabels, list->relabel_events, list->most_relabels);
    assert_true(list->longest <= GW_ORDER_TARGET);
    assert_true(list->most_relabels <= GW_ORDER_RELABEL_MAX);
    list_fini(list);
}

static void appending_keeps_labels_short(void **state)
{
    (void)state;
    struct list list;
    list_init(&list, INSERT_COUNT);
    for (size_t i = 0; i < INSERT_COUNT; i++)
        insert_after(&list, list.tail.previous);
    assert_int_equal(list.relabel_events, 0);
    assert_true(list.longest <= 4);
    report(&list, "at the end");
}

static void prepending_keeps_labels_short(void **state)
{
    (void)state;
    struct list list;
    list_init(&list, INSERT_COUNT);
    for (size_t i = 0; i < INSERT_COUNT; i++)
        insert_after(&list, &list.head);
    assert_int_equal(list.relabel_events, 0);
    assert_true(list.longest <= 4);
    report(&list, "at the front");
}

static void front_and_end_in_turn(void **state)
{
    (void)state;
    struct list list;
    list_init(&list, INSERT_COUNT);
    for (size_t i = 0; i < INSERT_COUNT; i++)
        insert_after(&list, i % 2 ? &list.head : list.tail.previous);
    report(&list, "front and end in turn");
}

/* `siblings` spaced items, then inserts between the middle two: always after the first of them, always before the second, or in turn. */
static void insert_in_the_middle(const char *name, size_t siblings, unsigned pattern)
{
    struct list list;
    list_init(&list, INSERT_COUNT + siblings);
    struct item *left = &list.head;
    for (size_t i = 0; i < siblings; i++) {
        struct item *item = insert_after(&list, list.tail.previous);
        if (i == siblings / 2 - 1)
            left = item;
    }
    struct item *right = left->next;
    for (size_t i = 0; i < INSERT_COUNT; i++) {
        struct item *item = insert_after(&list, left);
        if (pattern == 1 || (pattern == 2 && i % 2))
            left = item;
        assert_ptr_equal(pattern == 1 ? item->next : right, right);
    }
    report(&list, name);
}

static void always_directly_after_one_sibling(void **state)
{
    (void)state;
    insert_in_the_middle("after the first of two", 2, 0);
    insert_in_the_middle("after one of 1000", 1000, 0);
}

static void always_directly_before_one_sibling(void **state)
{
    (void)state;
    insert_in_the_middle("before the second of two", 2, 1);
    insert_in_the_middle("before one of 1000", 1000, 1);
}

static void on_either_side_of_the_newest_in_turn(void **state)
{
    (void)state;
    insert_in_the_middle("in turn between two", 2, 2);
    insert_in_the_middle("in turn within 1000", 1000, 2);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

static void anywhere(void **state)
{
    (void)state;
    struct list list;
    list_init(&list, INSERT_COUNT);
    uint64_t seed = 7;
    for (size_t i = 0; i < INSERT_COUNT; i++)
        insert_after(&list, i ? &list.items[next_random(&seed) % i] : &list.head);
    report(&list, "after a random sibling");
}

static void in_short_runs_at_random_places(void **state)
{
    (void)state;
    struct list list;
    list_init(&list, INSERT_COUNT);
    uint64_t seed = 11;
    struct item *left = &list.head;
    for (size_t i = 0; i < INSERT_COUNT; i++) {
        if (i && i % 100 == 0)
            left = &list.items[next_random(&seed) % i];
        left = insert_after(&list, left);
    }
    report(&list, "runs of 100 at random places");
}

/* Every run goes into the middle of the run before it: the fastest way down that a person could take. */
static void runs_nested_in_runs(void **state)
{
    (void)state;
    struct list list;
    list_init(&list, INSERT_COUNT);
    struct item *left = &list.head;
    for (size_t run = 0; run < 6; run++) {
        struct item *middle = left;
        for (size_t i = 0; i < 200; i++) {
            left = insert_after(&list, left);
            if (i == 99)
                middle = left;
        }
        left = middle;
    }
    report(&list, "6 runs of 200, nested");
}

static void nesting_beyond_all_sense_still_finds_room_or_says_that_there_is_none(void **state)
{
    (void)state;
    struct gw_order_label low = {"V"}, label;
    int status = 0;
    size_t count = 0;
    struct gw_order_label high = {"W"};
    while ((status = gw_order_between(low.text, high.text, &label)) == 0) {
        assert_true(strcmp(low.text, label.text) < 0 && strcmp(label.text, high.text) < 0);
        assert_true(strlen(label.text) <= GW_ORDER_TARGET);
        *(count++ % 2 ? &low : &high) = label;
    }
    assert_int_equal(status, GW_ELIMIT);
    assert_true(count > 40);
}

static void labels_are_checked(void **state)
{
    (void)state;
    assert_true(gw_order_is_valid("V", 1));
    assert_true(gw_order_is_valid("0z", 2));
    assert_false(gw_order_is_valid("", 0));
    assert_false(gw_order_is_valid("V0", 2));
    assert_false(gw_order_is_valid("V-", 2));
    assert_false(gw_order_is_valid("V\0z", 3));
    assert_false(gw_order_is_valid("zzzzzzzzzzzzzzzzzzzzzz", 22));
}

static void a_window_without_room_is_refused(void **state)
{
    (void)state;
    /* 65 neighbours on each side, one unit of the last character apart. */
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    static struct gw_order_label labels[130];
    size_t made = 0;
    for (size_t value = 62 * 10 + 1; made < 130; value++) {
        /* labels may not end in '0': a gap of two units there is room for one, not for a window */
        snprintf(labels[made].text, sizeof labels[made].text, "VVVVVVVVVVVVVVVVVVV%c%c", digits[value / 62], digits[value % 62]);
        if (value % 62)
            made++;
        else
            snprintf(labels[made++].text, sizeof labels[0].text, "VVVVVVVVVVVVVVVVVVV%c", digits[value / 62]);
    }
    struct gw_order_neighbours n = {.left_count = 65, .right_count = 65};
    for (size_t i = 0; i < 65; i++) {
        n.left[i] = labels[64 - i].text;
        n.right[i] = labels[65 + i].text;
    }
    struct gw_order_spread spread;
    assert_int_equal(gw_order_spread(&n, &spread), GW_ELIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appending_keeps_labels_short),
        cmocka_unit_test(prepending_keeps_labels_short),
        cmocka_unit_test(front_and_end_in_turn),
        cmocka_unit_test(always_directly_after_one_sibling),
        cmocka_unit_test(always_directly_before_one_sibling),
        cmocka_unit_test(on_either_side_of_the_newest_in_turn),
        cmocka_unit_test(anywhere),
        cmocka_unit_test(in_short_runs_at_random_places),
        cmocka_unit_test(runs_nested_in_runs),
        cmocka_unit_test(nesting_beyond_all_sense_still_finds_room_or_says_that_there_is_none),
        cmocka_unit_test(labels_are_checked),
        cmocka_unit_test(a_window_without_room_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
