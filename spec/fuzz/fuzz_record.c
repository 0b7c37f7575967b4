/* fuzz_record.c — any bytes as what a spine gives back: no crash, and what is taken is written again as a record that is taken. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "hub/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write(const struct gw_record *record, struct gw_buffer *out)
{
    struct gw_record_writer writer;
    gw_record_writer_init(&writer);
    for (size_t i = 0; i < record->events.count; i++)
        gw_record_write_event(&writer, record->events.items[i]);
    for (size_t i = 0; i < record->key_count; i++)
        gw_record_write_key(&writer, &record->keys[i]);
    int status = gw_record_write_end(&writer, record->epoch, record->nonce, record->first_seq, out);
    assert(!status);
    gw_record_writer_fini(&writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_record record, again;
    struct gw_error err;
    struct gw_buffer text;
    if (gw_record_parse((const char *)data, size, &record, &err)) {
        assert(err.id[0]);
        return 0;
    }
    gw_buffer_init(&text, 0);
    write(&record, &text);
    int status = gw_record_parse(text.data, text.length, &again, &err);
    assert(!status);
    assert(again.events.count == record.events.count && again.key_count == record.key_count && again.first_seq == record.first_seq);
    gw_record_fini(&again);
    gw_record_fini(&record);
    gw_buffer_fini(&text);
    return 0;
}
