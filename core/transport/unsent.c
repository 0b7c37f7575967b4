#include "transport/unsent.h"

#include "base/buffer.h"
#include "transport/exchange.h"

void gw_unsent_add(struct gw_unsent *unsent, struct gw_exchange *exchange, size_t output_bytes)
{
    gw_buffer_fini(&exchange->answer); /* it is in the output */
    exchange->ends_at_byte = unsent->sent_bytes + output_bytes;
    exchange->next = NULL;
    if (unsent->first)
        unsent->last->next = exchange;
    else
        unsent->first = exchange;
    unsent->last = exchange;
    unsent->count++;
}

static void drop_first(struct gw_unsent *unsent)
{
    struct gw_exchange *exchange = unsent->first;
    unsent->first = exchange->next;
    unsent->count--;
    gw_exchange_destroy(exchange);
}

void gw_unsent_sent(struct gw_unsent *unsent, size_t bytes)
{
    unsent->sent_bytes += bytes;
    while (unsent->first && unsent->first->ends_at_byte <= unsent->sent_bytes)
        drop_first(unsent);
}

void gw_unsent_fini(struct gw_unsent *unsent)
{
    while (unsent->first)
        drop_first(unsent);
}
