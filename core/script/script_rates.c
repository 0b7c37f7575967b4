#include "script/script_rates.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/map.h"

struct bucket {
    double tokens;
    uint64_t filled_ms;
};

/* Who was asked for since the last turn is in `young`, so dropping `old` whole drops the longest unused. */
struct gw_rates {
    uint8_t seed[16];
    size_t half;
    pthread_mutex_t lock; /* of both below */
    struct gw_map *young, *old;
};

struct gw_rates *gw_rates_create(const uint8_t seed[16], size_t max)
{
    struct gw_rates *rates = gw_alloc(sizeof *rates);
    memcpy(rates->seed, seed, sizeof rates->seed);
    rates->half = max / 2;
    pthread_mutex_init(&rates->lock, NULL);
    rates->young = gw_map_create(seed);
    rates->old = gw_map_create(seed);
    return rates;
}

static void destroy_map(struct gw_map *buckets)
{
    size_t cursor = 0, length;
    const void *key;
    void *bucket;
    while (gw_map_next(buckets, &cursor, &key, &length, &bucket))
        gw_free(bucket);
    gw_map_destroy(buckets);
}

void gw_rates_destroy(struct gw_rates *rates)
{
    if (!rates)
        return;
    destroy_map(rates->young);
    destroy_map(rates->old);
    pthread_mutex_destroy(&rates->lock);
    gw_free(rates);
}

static bool take(struct bucket *bucket, const struct gw_rate *rate, uint64_t now_ms)
{
    if (now_ms > bucket->filled_ms) {
        bucket->tokens += (double)(now_ms - bucket->filled_ms) / 1000 * rate->per_s;
        bucket->filled_ms = now_ms;
    }
    if (bucket->tokens > rate->burst)
        bucket->tokens = rate->burst;
    if (bucket->tokens < 1)
        return false;
    bucket->tokens -= 1;
    return true;
}

/* Into `young`, which has room; NULL: no memory. */
static struct bucket *find_or_make(struct gw_rates *rates, const struct gw_buffer *name, const struct gw_rate *rate, uint64_t now_ms)
{
    struct bucket *bucket = gw_map_get(rates->young, name->data, name->length);
    if (bucket)
        return bucket;
    bucket = gw_map_remove(rates->old, name->data, name->length);
    if (!bucket && (bucket = gw_try_alloc(sizeof *bucket)))
        *bucket = (struct bucket){.tokens = rate->burst, .filled_ms = now_ms};
    if (bucket && !gw_map_put(rates->young, name->data, name->length, bucket, NULL))
        return bucket;
    gw_free(bucket);
    return NULL;
}

/* What fell out, for its caller to free without the lock; NULL: nothing. */
static struct gw_map *turn(struct gw_rates *rates)
{
    if (gw_map_count(rates->young) < rates->half)
        return NULL;
    struct gw_map *fallen = rates->old;
    rates->old = rates->young;
    rates->young = gw_map_create(rates->seed);
    return fallen;
}

bool gw_rates_take(struct gw_rates *rates, const struct gw_buffer *name, const struct gw_rate *rate, uint64_t now_ms)
{
    pthread_mutex_lock(&rates->lock);
    struct bucket *bucket = find_or_make(rates, name, rate, now_ms);
    bool has_one = !bucket || take(bucket, rate, now_ms);
    struct gw_map *fallen = turn(rates);
    pthread_mutex_unlock(&rates->lock);
    if (fallen)
        destroy_map(fallen);
    return has_one;
}

size_t gw_rates_count(struct gw_rates *rates)
{
    pthread_mutex_lock(&rates->lock);
    size_t count = gw_map_count(rates->young) + gw_map_count(rates->old);
    pthread_mutex_unlock(&rates->lock);
    return count;
}
