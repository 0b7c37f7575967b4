#include "script/dump.h"

#include <lua.h>
#include <string.h>

#define TAG_FLOAT      0x13
#define TAG_INTEGER    0x03
#define TAG_SHORT_TEXT 0x04
#define TAG_LONG_TEXT  0x14

const uint8_t *gw_dump_take(struct gw_dump *dump, uint64_t count)
{
    static const uint8_t nothing[16];
    if (dump->is_bad || count > (uint64_t)(dump->end - dump->at)) {
        dump->is_bad = true;
        return count <= sizeof nothing ? nothing : dump->end;
    }
    const uint8_t *bytes = dump->at;
    dump->at += count;
    return bytes;
}

uint8_t gw_dump_byte(struct gw_dump *dump) { return gw_dump_take(dump, 1)[0]; }

/* dumpSize: seven bits a byte, the most significant first, the last byte marked. */
uint64_t gw_dump_size(struct gw_dump *dump)
{
    uint64_t value = 0;
    for (int i = 0; i < 10 && !dump->is_bad; i++) {
        uint8_t byte = gw_dump_byte(dump);
        value = value << 7 | (byte & 0x7Fu);
        if ((byte & 0x80u) != 0)
            return value;
    }
    dump->is_bad = true;
    return 0;
}

uint64_t gw_dump_count(struct gw_dump *dump)
{
    uint64_t count = gw_dump_size(dump);
    if (count > (uint64_t)(dump->end - dump->at))
        dump->is_bad = true;
    return dump->is_bad ? 0 : count;
}

const uint8_t *gw_dump_text(struct gw_dump *dump, uint64_t *length)
{
    uint64_t size = gw_dump_size(dump);
    *length = size == 0 ? 0 : size - 1;
    const uint8_t *text = gw_dump_take(dump, *length);
    if (dump->is_bad)
        *length = 0;
    return text;
}

const uint8_t *gw_dump_constant(struct gw_dump *dump, uint64_t *length)
{
    *length = 0;
    switch (gw_dump_byte(dump)) {
    case TAG_FLOAT:
        gw_dump_take(dump, sizeof(lua_Number));
        return NULL;
    case TAG_INTEGER:
        gw_dump_take(dump, sizeof(lua_Integer));
        return NULL;
    case TAG_SHORT_TEXT:
    case TAG_LONG_TEXT:
        return gw_dump_text(dump, length);
    default:
        return NULL; /* nil, false, true are their tag */
    }
}

void gw_dump_header(struct gw_dump *dump)
{
    static const uint8_t expected[] = {
        0x1b, 'L', 'u', 'a', 0x54, 0, 0x19, 0x93, '\r', '\n', 0x1a, '\n', 4, sizeof(lua_Integer), sizeof(lua_Number)};
    const uint8_t *header = gw_dump_take(dump, sizeof expected);
    if (dump->is_bad || memcmp(header, expected, sizeof expected) != 0)
        dump->is_bad = true;
    gw_dump_take(dump, sizeof(lua_Integer) + sizeof(lua_Number));
    gw_dump_byte(dump); /* number of upvalues */
}
