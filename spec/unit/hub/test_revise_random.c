/* Undo and restore by chance: a turn that nobody crossed goes without a trace, and any revision comes back. */
#include "revise_world.h"

static uint32_t next_random(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

static void random_command(struct world *w, const char *actor, uint32_t *seed, const char *prefix)
{
    char members[512], place[64];
    unsigned id = next_random(seed, 12), other = next_random(seed, 12);
    snprintf(place, sizeof place, next_random(seed, 2) ? "null" : "\"b%u\"", other);
    size_t at = (size_t)snprintf(members, sizeof members, "%s" ON_C, prefix);
    switch (next_random(seed, 6)) {
    case 0:
        snprintf(members + at, sizeof members - at,
                 "\"type\":\"block.insert\",\"args\":{\"block\":{\"id\":\"b%u\",\"kind\":\"task\",\"parent\":%s,\"text\":\"t%u\"}}",
                 id + 12 * next_random(seed, 4), place, id);
        break;
    case 1:
        snprintf(members + at, sizeof members - at, "\"type\":\"block.update\",\"args\":{\"id\":\"b%u\",\"set\":{\"due\":\"%u\"}}", id,
                 next_random(seed, 99));
        break;
    case 2:
        snprintf(members + at, sizeof members - at, "\"type\":\"block.move\",\"args\":{\"id\":\"b%u\",\"parent\":%s}", id, place);
        break;
    case 3:
        snprintf(members + at, sizeof members - at, "\"type\":\"block.remove\",\"args\":{\"id\":\"b%u\"}", id);
        break;
    default:
        snprintf(members + at, sizeof members - at,
                 "\"type\":\"block.splice\",\"base\":\"%llu\",\"args\":{\"id\":\"b%u\",\"at\":0,\"del\":%u,\"ins\":\"%uä\"}",
                 (unsigned long long)gw_state_seq(w->f.state), id, next_random(seed, 3), next_random(seed, 9));
    }
    w->f.author_id = actor;
    size_t count = w->f.log.count;
    (void)run_command(&w->f, members); /* many are refused, which is as good */
    for (size_t i = count; i < w->f.log.count; i++)
        snprintf(w->f.log.items[i]->cause, GW_ID_MAX + 1, "c%u", w->f.command_count);
}

static void random_turns_and_revisions_come_back(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 150; round++) {
        void *one = NULL;
        uint32_t seed = round + 1;
        open_world(&one);
        struct world *w = one;
        for (size_t i = 0; i < 40; i++)
            random_command(w, "bob", &seed, "");
        bob(w, COMMIT);
        char *before = keep(w), *again = keep(w);
        int64_t n = 0;
        for (size_t i = 0; i < 15; i++) {
            char prefix[64];
            snprintf(prefix, sizeof prefix, "\"origin\":\"o\",\"n\":%lld,", (long long)n + 1);
            size_t count = w->f.log.count;
            random_command(w, "ann", &seed, prefix);
            n += w->f.log.count > count;
        }
        if (n > 0)
            revise(w, "ann", "\"type\":\"undo\",\"args\":{\"origin\":\"o\"}");
        if (gw_json_count(w->skipped) == 0)
            assert_back(w, before);
        else
            gw_free(before);
        for (size_t i = 0; i < 30; i++)
            random_command(w, "bob", &seed, "");
        revise(w, "ann", RESTORE(1));
        assert_skipped(w, "[]");
        assert_back(w, again);
        close_world(&one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_turns_and_revisions_come_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
