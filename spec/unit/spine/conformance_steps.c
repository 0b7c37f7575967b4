#include "spine/conformance_steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

int conformance_set_up(void **state)
{
    const struct opener *opener = *state;
    *state = opener->open();
    return *state == NULL ? -1 : 0;
}

int conformance_tear_down(void **state)
{
    struct subject *subject = *state;
    subject->close(subject);
    return 0;
}

const struct gw_spine *port_of(void **state) { return ((struct subject *)*state)->port; }

void fill(const struct gw_spine *port, const char *run)
{
    static const uint64_t edges[] = {1, 2, 5, 6, 10, 11};
    for (size_t i = 0; i + 1 < sizeof edges / sizeof *edges; i++) {
        char payload[16];
        snprintf(payload, sizeof payload, "payload-%02u", (unsigned)edges[i]);
        assert_int_equal(append_text(port, run, edges[i], edges[i + 1] - 1, payload), GW_OK);
    }
}

void assert_range(const struct gw_spine *port, uint64_t from, uint64_t to, size_t max_bytes, const uint64_t *firsts)
{
    struct gw_spine_read read = read_range(port, "run", from, to, max_bytes);
    assert_int_equal(read.status, GW_OK);
    size_t count = 0;
    while (firsts[count] != 0)
        count++;
    assert_int_equal(read.record_count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(read.records[i].first_seq, firsts[i]);
    gw_spine_read_fini(&read);
}

void assert_blob_of(const struct gw_spine *port, enum gw_spine_blob_kind kind, uint64_t at_most, uint64_t seq, const char *const *chunks)
{
    struct gw_spine_get get = get_blob(port, "run", kind, at_most);
    assert_int_equal(get.status, GW_OK);
    assert_int_equal(get.seq, seq);
    size_t count = 0;
    for (; chunks[count] != NULL; count++) {
        assert_true(count < get.chunk_count);
        assert_int_equal(get.lengths[count], strlen(chunks[count]));
        assert_memory_equal(get.chunks[count], chunks[count], get.lengths[count]);
    }
    assert_int_equal(get.chunk_count, count);
    gw_spine_get_fini(&get);
}

void assert_blob(const struct gw_spine *port, uint64_t at_most, uint64_t seq, const char *const *chunks)
{
    assert_blob_of(port, GW_SPINE_CHECKPOINT, at_most, seq, chunks);
}
