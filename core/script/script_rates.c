#include "script/script_rates.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/map.h"

struct bucket {
    struct gw_rate rate;
    double tokens;
    uint64_t filled_ms;
};

struct gw_rates {
    struct gw_map *buckets;
    size_t max;
};

struct gw_rates *gw_rates_create(const uint8_t seed[16], size_t max)
{
    struct gw_rates *rates = gw_alloc(sizeof *rates);
    rates->buckets = gw_map_create(seed);
    rates->max = max;
    return rates;
}

static void fill(struct bucket *bucket, uint64_t now_ms)
{
    bucket->tokens += (double)(now_ms - bucket->filled_ms) / 1000 * bucket->rate.per_s;
    if (bucket->tokens > bucket->rate.burst)
        bucket->tokens = bucket->rate.burst;
    bucket->filled_ms = now_ms;
}

static void drop(struct gw_rates *rates, uint64_t now_ms, bool drops_all)
{
    size_t cursor = 0, length;
    const void *key;
    void *value;
    while (gw_map_next(rates->buckets, &cursor, &key, &length, &value)) {
        struct bucket *bucket = value;
        fill(bucket, now_ms);
        if (!drops_all && bucket->tokens < bucket->rate.burst)
            continue;
        gw_map_remove(rates->buckets, key, length);
        gw_free(bucket);
    }
}

void gw_rates_destroy(struct gw_rates *rates)
{
    if (!rates)
        return;
    drop(rates, 0, true);
    gw_map_destroy(rates->buckets);
    gw_free(rates);
}

static struct bucket *make(struct gw_rates *rates, const struct gw_buffer *name, const struct gw_rate *rate, uint64_t now_ms)
{
    if (gw_map_count(rates->buckets) >= rates->max)
        drop(rates, now_ms, false);
    if (gw_map_count(rates->buckets) >= rates->max)
        drop(rates, now_ms, true);
    struct bucket *bucket = gw_try_alloc(sizeof *bucket);
    if (!bucket)
        return NULL;
    *bucket = (struct bucket){.rate = *rate, .tokens = rate->burst, .filled_ms = now_ms};
    if (!gw_map_put(rates->buckets, name->data, name->length, bucket, NULL))
        return bucket;
    gw_free(bucket);
    return NULL;
}

bool gw_rates_take(struct gw_rates *rates, const struct gw_buffer *name, const struct gw_rate *rate, uint64_t now_ms)
{
    struct bucket *bucket = gw_map_get(rates->buckets, name->data, name->length);
    if (!bucket)
        bucket = make(rates, name, rate, now_ms);
    if (!bucket)
        return true;
    bucket->rate = *rate;
    fill(bucket, now_ms);
    if (bucket->tokens < 1)
        return false;
    bucket->tokens -= 1;
    return true;
}

size_t gw_rates_count(const struct gw_rates *rates) { return gw_map_count(rates->buckets); }
