/* dump.h — reading what lua_dump wrote (Lua 5.4, ldump.c): a cursor over its bytes that never leaves them. What does not fit makes it bad, and from then on everything
 * reads as nothing, so that a caller may ask once at the end. Owns nothing; any thread. What the functions mean is for those who read them. */
#ifndef GW_SCRIPT_DUMP_H
#define GW_SCRIPT_DUMP_H

#include <stdbool.h>
#include <stdint.h>

/* lopcodes.h: the opcode is the low 7 bits, A the 8 above, B the 8 from bit 16, C the 8 from bit 24. */
#define GW_DUMP_OPCODE(i) ((i)&0x7Fu)
#define GW_DUMP_A(i)      (((i) >> 7) & 0xFFu)
#define GW_DUMP_B(i)      (((i) >> 16) & 0xFFu)
#define GW_DUMP_C(i)      (((i) >> 24) & 0xFFu)
/* ldebug.c, luaG_getfuncline: in place of a difference of lines: the line stands elsewhere, in full. */
#define GW_DUMP_FULL_LINE (-0x80)

#define GW_DUMP_UPVALUES_MAX 255
#define GW_DUMP_NESTING_MAX  200 /* the parser's own maximum */

/* value: the bytes that are left */
struct gw_dump {
    const uint8_t *at, *end;
    bool is_bad;
};

/* The next `count` bytes; of a bad one zeroes, up to 16 of them, else none that may be read. */
const uint8_t *gw_dump_take(struct gw_dump *dump, uint64_t count);
uint8_t gw_dump_byte(struct gw_dump *dump);
uint64_t gw_dump_size(struct gw_dump *dump);
/* A count of things of which each takes at least one byte, so that loops over it end with the dump. */
uint64_t gw_dump_count(struct gw_dump *dump);
/* Not NUL-terminated; length 0 when there is none. */
const uint8_t *gw_dump_text(struct gw_dump *dump, uint64_t *length);
/* One constant of a function: its text, or NULL for one that is none. */
const uint8_t *gw_dump_constant(struct gw_dump *dump, uint64_t *length);
/* Bad unless this program's own Lua wrote it. */
void gw_dump_header(struct gw_dump *dump);

#endif
