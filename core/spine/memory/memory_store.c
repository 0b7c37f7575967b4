#include "spine/memory/memory_store.h"

#include <string.h>

#include "base/alloc.h"
#include "base/map.h"

struct blob {
    struct blob *older; /* of the same run and kind: descending seqs */
    uint64_t seq;
    char **chunks;
    size_t *lengths;
    size_t chunk_count;
};

struct run {
    struct gw_spine_record *records; /* ascending, contiguous */
    size_t count, capacity;
    uint64_t floor_seq, tail_seq;
    struct blob *newest[GW_SPINE_BLOB_KINDS];
};

struct gw_memory_store {
    struct gw_map *runs;
    size_t bytes, max_bytes;
};

static int fail_full(const struct gw_spine_job *job) { return gw_spine_job_fail(job, GW_EIO, "spine_full", "the memory spine is full"); }

static void free_chunks(char **chunks, size_t *lengths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        gw_free(chunks[i]);
    gw_free(chunks);
    gw_free(lengths);
}

static void destroy_blobs(struct gw_memory_store *store, struct blob *blob)
{
    while (blob != NULL) {
        struct blob *older = blob->older;
        for (size_t i = 0; i < blob->chunk_count; i++)
            store->bytes -= blob->lengths[i];
        free_chunks(blob->chunks, blob->lengths, blob->chunk_count);
        gw_free(blob);
        blob = older;
    }
}

static void destroy_run(struct gw_memory_store *store, struct run *run)
{
    for (size_t i = 0; i < run->count; i++)
        gw_free(run->records[i].payload);
    gw_free(run->records);
    for (size_t kind = 0; kind < GW_SPINE_BLOB_KINDS; kind++)
        destroy_blobs(store, run->newest[kind]);
    gw_free(run);
}

struct gw_memory_store *gw_memory_store_create(const uint8_t seed[16], size_t max_bytes)
{
    struct gw_memory_store *store = gw_alloc(sizeof *store);
    store->runs = gw_map_create(seed);
    store->max_bytes = max_bytes;
    return store;
}

void gw_memory_store_destroy(struct gw_memory_store *store)
{
    size_t cursor = 0, length;
    const void *key;
    void *run;
    while (gw_map_next(store->runs, &cursor, &key, &length, &run))
        destroy_run(store, run);
    gw_map_destroy(store->runs);
    gw_free(store);
}

static struct run *find_run(const struct gw_memory_store *store, const struct gw_run_key *key)
{
    return gw_map_get(store->runs, key->text, strlen(key->text));
}

/* NULL: no memory. */
static struct run *find_or_add_run(struct gw_memory_store *store, const struct gw_run_key *key)
{
    struct run *run = find_run(store, key);
    if (run != NULL)
        return run;
    run = gw_try_alloc(sizeof *run);
    if (run == NULL)
        return NULL;
    memset(run, 0, sizeof *run);
    run->floor_seq = 1;
    if (gw_map_put(store->runs, key->text, strlen(key->text), run, NULL) != GW_OK) {
        gw_free(run);
        return NULL;
    }
    return run;
}

static bool has_room(const struct gw_memory_store *store, size_t bytes)
{
    return store->max_bytes == 0 || (bytes <= store->max_bytes && store->bytes <= store->max_bytes - bytes);
}

/* A NUL follows the copy. NULL: no memory. */
static char *copy_bytes(const char *bytes, size_t length)
{
    char *copy = gw_try_alloc(length + 1);
    if (copy == NULL)
        return NULL;
    if (length > 0)
        memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

/* ---- records ------------------------------------------------------------------------------------------------------------------------ */

static bool grow_records(struct run *run)
{
    if (run->count < run->capacity)
        return true;
    size_t capacity = run->capacity == 0 ? 16 : run->capacity * 2;
    struct gw_spine_record *records = gw_try_grow(run->records, capacity, sizeof *records);
    if (records == NULL)
        return false;
    run->records = records;
    run->capacity = capacity;
    return true;
}

static void append(struct gw_memory_store *store, const struct gw_spine_job *job)
{
    const struct gw_spine_append *request = job->request.append;
    struct run *run = find_or_add_run(store, &request->run);
    if (run == NULL) {
        fail_full(job);
        return;
    }
    if (request->first_seq != run->tail_seq + 1) {
        bool is_taken = request->first_seq <= run->tail_seq;
        gw_spine_job_fail(job, GW_ECONFLICT, is_taken ? "spine_seq_taken" : "spine_seq_gap", "the run's tail is elsewhere");
        return;
    }
    char *payload = has_room(store, job->bytes) && grow_records(run) ? copy_bytes(request->payload, request->payload_length) : NULL;
    if (payload == NULL) {
        fail_full(job);
        return;
    }
    run->records[run->count++] = (struct gw_spine_record){request->first_seq, request->last_seq, payload, request->payload_length};
    run->tail_seq = request->last_seq;
    store->bytes += job->bytes;
}

/* Index of the first record that ends at or after `seq`. */
static size_t find_record(const struct run *run, uint64_t seq)
{
    size_t low = 0, high = run->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (run->records[middle].last_seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* How many records from `start` a read takes. */
static size_t count_records(const struct run *run, const struct gw_spine_read *request, size_t start)
{
    size_t end = start, bytes = 0;
    while (end < run->count && run->records[end].first_seq <= request->to_seq && (end == start || bytes < request->max_bytes))
        bytes += run->records[end++].payload_length;
    return end - start;
}

static void read_records(struct gw_memory_store *store, const struct gw_spine_job *job)
{
    struct gw_spine_read *request = job->request.read;
    const struct run *run = find_run(store, &request->run);
    if (request->from_seq < (run == NULL ? 1 : run->floor_seq)) {
        gw_spine_job_fail(job, GW_ENOTFOUND, "spine_below_floor", "these events are no longer stored");
        return;
    }
    size_t start = run == NULL ? 0 : find_record(run, request->from_seq);
    size_t count = run == NULL ? 0 : count_records(run, request, start);
    if (count == 0)
        return;
    request->records = gw_try_grow(NULL, count, sizeof *request->records);
    for (size_t i = 0; request->records != NULL && i < count; i++) {
        struct gw_spine_record record = run->records[start + i];
        record.payload = copy_bytes(record.payload, record.payload_length);
        if (record.payload == NULL)
            break;
        request->records[request->record_count++] = record;
    }
    if (request->record_count < count) {
        gw_spine_read_fini(request);
        gw_spine_job_fail(job, GW_ENOMEM, "out_of_memory", "no memory for the records");
    }
}

static void find_tail(struct gw_memory_store *store, const struct gw_spine_job *job)
{
    struct gw_spine_tail *request = job->request.tail;
    const struct run *run = find_run(store, &request->run);
    request->tail_seq = run == NULL ? 0 : run->tail_seq;
    request->floor_seq = run == NULL ? 1 : run->floor_seq;
}

static void cut(struct gw_memory_store *store, struct run *run, uint64_t floor_seq)
{
    size_t gone = find_record(run, floor_seq);
    for (size_t i = 0; i < gone; i++) {
        store->bytes -= run->records[i].payload_length;
        gw_free(run->records[i].payload);
    }
    run->count -= gone;
    memmove(run->records, run->records + gone, run->count * sizeof *run->records);
    run->floor_seq = floor_seq;
}

/* ---- blobs -------------------------------------------------------------------------------------------------------------------------- */

/* True when all of the chunks were copied; else *chunks and *lengths are NULL. */
static bool copy_chunks(const char *const *from, const size_t *from_lengths, size_t count, char ***chunks, size_t **lengths)
{
    *chunks = gw_try_grow(NULL, count, sizeof **chunks);
    *lengths = gw_try_grow(NULL, count, sizeof **lengths);
    size_t done = 0;
    while (*chunks != NULL && *lengths != NULL && done < count) {
        (*chunks)[done] = copy_bytes(from[done], from_lengths[done]);
        if ((*chunks)[done] == NULL)
            break;
        (*lengths)[done] = from_lengths[done];
        done++;
    }
    if (done == count)
        return true;
    free_chunks(*chunks, *lengths, done);
    *chunks = NULL;
    *lengths = NULL;
    return false;
}

static struct blob *make_blob(const struct gw_spine_put *request)
{
    struct blob *blob = gw_try_alloc(sizeof *blob);
    if (blob == NULL)
        return NULL;
    if (!copy_chunks(request->chunks, request->lengths, request->chunk_count, &blob->chunks, &blob->lengths)) {
        gw_free(blob);
        return NULL;
    }
    blob->seq = request->seq;
    blob->chunk_count = request->chunk_count;
    return blob;
}

static void keep_newest(struct gw_memory_store *store, struct blob *blob, unsigned keep)
{
    while (blob != NULL && --keep > 0)
        blob = blob->older;
    if (blob == NULL)
        return;
    destroy_blobs(store, blob->older);
    blob->older = NULL;
}

static void put_blob(struct gw_memory_store *store, const struct gw_spine_job *job)
{
    const struct gw_spine_put *request = job->request.put;
    struct run *run = find_or_add_run(store, &request->run);
    if (run == NULL) {
        fail_full(job);
        return;
    }
    struct blob **place = &run->newest[request->kind];
    while (*place != NULL && (*place)->seq > request->seq)
        place = &(*place)->older;
    if (*place != NULL && (*place)->seq == request->seq)
        return;
    struct blob *blob = has_room(store, job->bytes) ? make_blob(request) : NULL;
    if (blob == NULL) {
        fail_full(job);
        return;
    }
    store->bytes += job->bytes;
    blob->older = *place;
    *place = blob;
    if (request->keep > 0)
        keep_newest(store, run->newest[request->kind], request->keep);
}

static void get_blob(struct gw_memory_store *store, const struct gw_spine_job *job)
{
    struct gw_spine_get *request = job->request.get;
    const struct run *run = find_run(store, &request->run);
    const struct blob *blob = run == NULL ? NULL : run->newest[request->kind];
    while (blob != NULL && blob->seq > request->at_most_seq)
        blob = blob->older;
    if (blob == NULL) {
        gw_spine_job_fail(job, GW_ENOTFOUND, "spine_no_blob", "there is no such blob");
        return;
    }
    if (!copy_chunks((const char *const *)blob->chunks, blob->lengths, blob->chunk_count, &request->chunks, &request->lengths)) {
        gw_spine_job_fail(job, GW_ENOMEM, "out_of_memory", "no memory for the blob");
        return;
    }
    request->seq = blob->seq;
    request->chunk_count = blob->chunk_count;
}

/* ---- erasing ------------------------------------------------------------------------------------------------------------------------ */

static void erase_run(struct gw_memory_store *store, const struct gw_run_key *key, struct run *run)
{
    for (size_t i = 0; i < run->count; i++)
        store->bytes -= run->records[i].payload_length;
    gw_map_remove(store->runs, key->text, strlen(key->text));
    destroy_run(store, run);
}

static void drop_older(struct gw_memory_store *store, struct run *run, size_t kind, uint64_t seq)
{
    struct blob **place = &run->newest[kind];
    while (*place != NULL && (*place)->seq >= seq)
        place = &(*place)->older;
    destroy_blobs(store, *place);
    *place = NULL;
}

/* What is kept, linked; false: no memory, and nothing is made. */
static bool make_kept(struct gw_memory_store *store, const struct gw_spine_erase *request, struct blob **out)
{
    *out = NULL;
    for (size_t i = request->kept_count; i-- > 0;) {
        const struct gw_spine_kept *kept = &request->kept[i];
        struct gw_spine_put put = {.seq = request->floor_seq - 1, .chunks = kept->chunks, .lengths = kept->lengths};
        put.chunk_count = kept->chunk_count;
        struct blob *blob = make_blob(&put);
        if (blob == NULL) {
            destroy_blobs(store, *out);
            return false;
        }
        for (size_t j = 0; j < blob->chunk_count; j++)
            store->bytes += blob->lengths[j];
        blob->older = *out;
        *out = blob;
    }
    return true;
}

static void place_kept(struct gw_memory_store *store, struct run *run, enum gw_spine_blob_kind kind, struct blob *blob)
{
    struct blob **place = &run->newest[kind];
    while (*place != NULL && (*place)->seq > blob->seq)
        place = &(*place)->older;
    struct blob *former = *place;
    bool is_same = former != NULL && former->seq == blob->seq;
    blob->older = is_same ? former->older : former;
    *place = blob;
    if (!is_same)
        return;
    former->older = NULL;
    destroy_blobs(store, former);
}

static void erase_below(struct gw_memory_store *store, struct run *run, const struct gw_spine_job *job)
{
    const struct gw_spine_erase *request = job->request.erase;
    struct blob *kept = NULL;
    if (!has_room(store, job->bytes) || !make_kept(store, request, &kept)) {
        fail_full(job);
        return;
    }
    cut(store, run, request->floor_seq);
    for (size_t kind = 0; kind < GW_SPINE_BLOB_KINDS; kind++)
        if (kind != GW_SPINE_KEY_PAGE)
            drop_older(store, run, kind, request->floor_seq - 1);
    for (size_t i = 0; i < request->kept_count; i++) {
        struct blob *blob = kept;
        kept = blob->older;
        place_kept(store, run, request->kept[i].kind, blob);
    }
}

static void erase(struct gw_memory_store *store, const struct gw_spine_job *job)
{
    const struct gw_spine_erase *request = job->request.erase;
    struct run *run = find_run(store, &request->run);
    if (request->floor_seq > (run == NULL ? 0 : run->tail_seq) + 1)
        gw_spine_job_fail(job, GW_EINVAL, "spine_bad_floor", "the floor lies behind the run's tail");
    else if (run != NULL && request->floor_seq == 0)
        erase_run(store, &request->run, run);
    else if (run != NULL && request->floor_seq > run->floor_seq)
        erase_below(store, run, job);
}

void gw_memory_store_execute(struct gw_memory_store *store, const struct gw_spine_job *job)
{
    if (gw_spine_job_check(job) != GW_OK)
        return;
    switch (job->kind) {
    case GW_SPINE_JOB_APPEND:
        append(store, job);
        break;
    case GW_SPINE_JOB_PUT:
        put_blob(store, job);
        break;
    case GW_SPINE_JOB_READ:
        read_records(store, job);
        break;
    case GW_SPINE_JOB_TAIL:
        find_tail(store, job);
        break;
    case GW_SPINE_JOB_GET:
        get_blob(store, job);
        break;
    case GW_SPINE_JOB_ERASE:
        erase(store, job);
        break;
    }
}
