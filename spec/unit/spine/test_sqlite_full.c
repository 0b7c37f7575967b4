#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/metrics.h"
#include "spine/database_fixture.h"
#include "spine/faulty_vfs.h"

/* ---- a disk that is really full ----------------------------------------------------------------------------------------------------- */

enum { PAYLOAD_BYTES = 8000, DISK_BYTES = 4 * 1024 * 1024, BALLAST_BYTES = 1024 * 1024 };

/* What a test fills and then makes room on. */
struct disk {
    struct fixture f;
    bool is_mounted;
    char ballast[160];
    struct rlimit limit_before;
};

static void make_ballast(struct disk *disk)
{
    snprintf(disk->ballast, sizeof disk->ballast, "%s/ballast", disk->f.folder);
    int fd = open(disk->ballast, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(posix_fallocate(fd, 0, BALLAST_BYTES), 0);
    close(fd);
}

/* Only this process sees the mount, and it ends with it. False: the system does not allow it. */
static bool mount_small_disk(const char *folder)
{
    char options[32];
    snprintf(options, sizeof options, "size=%d", DISK_BYTES);
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", folder, "tmpfs", 0, options) == 0;
}

static void limit_file_size(struct disk *disk)
{
    struct rlimit limit = disk->limit_before;
    limit.rlim_cur = DISK_BYTES / 4;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static int set_up_disk(void **state)
{
    struct disk *disk = calloc(1, sizeof *disk);
    fixture_init(&disk->f);
    getrlimit(RLIMIT_FSIZE, &disk->limit_before);
    *state = disk;
    return 0;
}

static int tear_down_disk(void **state)
{
    struct disk *disk = *state;
    setrlimit(RLIMIT_FSIZE, &disk->limit_before);
    fixture_close(&disk->f);
    if (disk->is_mounted)
        umount(disk->f.folder);
    fixture_fini(&disk->f);
    free(disk);
    return 0;
}

static void make_room(struct disk *disk)
{
    if (disk->is_mounted)
        assert_int_equal(unlink(disk->ballast), 0);
    else
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &disk->limit_before), 0);
}

static void assert_stored(struct fixture *f, uint64_t tail)
{
    assert_int_equal(find_tail(f->port, "run").tail_seq, tail);
    struct gw_spine_read read = read_range(f->port, "run", 1, tail, SIZE_MAX);
    assert_int_equal(read.status, GW_OK);
    assert_int_equal(read.record_count, tail);
    for (size_t i = 0; i < read.record_count; i++) {
        assert_int_equal(read.records[i].first_seq, i + 1);
        assert_int_equal(read.records[i].payload_length, PAYLOAD_BYTES);
    }
    gw_spine_read_fini(&read);
}

static uint64_t append_until_refused(struct fixture *f, const char *payload)
{
    uint64_t tail = 0;
    int status = GW_OK;
    while (status == GW_OK && tail < 100000)
        if ((status = append_text(f->port, "run", tail + 1, tail + 1, payload)) == GW_OK)
            tail++;
    assert_int_equal(status, GW_EIO);
    return tail;
}

static void fill_and_make_room(struct disk *disk)
{
    struct fixture *f = &disk->f;
    char payload[PAYLOAD_BYTES + 1];
    memset(payload, 'x', PAYLOAD_BYTES);
    payload[PAYLOAD_BYTES] = '\0';
    uint64_t tail = append_until_refused(f, payload);
    assert_true(tail > 20);
    assert_int_equal(append_text(f->port, "run", tail + 1, tail + 1, payload), GW_EIO);
    assert_stored(f, tail);
    make_room(disk);
    assert_int_equal(append_text(f->port, "run", tail + 1, tail + 1, payload), GW_OK);
    assert_int_equal(append_text(f->port, "run", tail + 2, tail + 2, payload), GW_OK);
    assert_stored(f, tail + 2);
    fixture_close(f);
    fixture_open(f);
    assert_stored(f, tail + 2);
}

static void refuses_and_recovers_when_files_may_not_grow(void **state)
{
    struct disk *disk = *state;
    fixture_open(&disk->f);
    limit_file_size(disk);
    fill_and_make_room(disk);
}

static void refuses_and_recovers_on_a_full_file_system(void **state)
{
    struct disk *disk = *state;
    disk->is_mounted = mount_small_disk(disk->f.folder);
    if (disk->is_mounted)
        make_ballast(disk);
    fixture_open(&disk->f);
    if (!disk->is_mounted) {
        print_message("no file system can be mounted here (%s): files are limited instead\n", strerror(errno));
        limit_file_size(disk);
    }
    fill_and_make_room(disk);
}

static void opens_on_a_disk_that_cannot_hold_the_whole_log(void **state)
{
    struct disk *disk = *state;
    disk->f.wal_bytes = DISK_BYTES;
    limit_file_size(disk);
    fixture_open(&disk->f);
    assert_int_equal(append_text(disk->f.port, "run", 1, 1, "x"), GW_OK);
}

/* ---- a disk that fails at one moment ------------------------------------------------------------------------------------------------ */

static int set_up_faults(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    faulty_vfs_install();
    fixture_init(f);
    fixture_open(f);
    *state = f;
    return append_text(f->port, "run", 1, 1, "before") == GW_OK ? 0 : -1;
}

static int tear_down_faults(void **state)
{
    fixture_fini(*state);
    faulty_vfs_remove();
    free(*state);
    return 0;
}

static void acknowledges_nothing_that_was_not_synced(void **state)
{
    struct fixture *f = *state;
    int64_t syncs = fixture_metric(f, "atoms_spine_syncs_total");
    faulty_vfs_fail_syncs(SQLITE_IOERR_FSYNC, 1);
    assert_int_equal(append_text(f->port, "run", 2, 2, "unsynced"), GW_EIO);
    assert_int_equal(fixture_metric(f, "atoms_spine_syncs_total"), syncs);
    assert_int_equal(fixture_metric(f, "atoms_spine_failures_total"), 1);
    assert_int_equal(find_tail(f->port, "run").tail_seq, 1);
    assert_int_equal(append_text(f->port, "run", 2, 2, "synced"), GW_OK);
    struct gw_spine_read read = read_range(f->port, "run", 2, 2, SIZE_MAX);
    assert_string_equal(read.records[0].payload, "synced");
    gw_spine_read_fini(&read);
}

static void does_not_bring_back_what_it_refused(void **state)
{
    struct fixture *f = *state;
    faulty_vfs_fail_syncs(SQLITE_IOERR_FSYNC, 1);
    assert_int_equal(append_text(f->port, "run", 2, 2, "unsynced"), GW_EIO);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(find_tail(f->port, "run").tail_seq, 1);
}

static void copy_file(const struct fixture *from, const struct fixture *to, const char *suffix)
{
    char name[200], bytes[65536];
    snprintf(name, sizeof name, "%s%s", from->path, suffix);
    FILE *source = fopen(name, "rb");
    snprintf(name, sizeof name, "%s%s", to->path, suffix);
    FILE *target = fopen(name, "wb");
    assert_true(source != NULL && target != NULL);
    size_t length;
    while ((length = fread(bytes, 1, sizeof bytes, source)) > 0)
        assert_int_equal(fwrite(bytes, 1, length, target), length);
    fclose(source);
    assert_int_equal(fclose(target), 0);
}

/* The frames of the refused record are whole in the log: a recovery would take them. */
static void does_not_bring_back_what_it_refused_after_a_crash(void **state)
{
    struct fixture *f = *state, crashed = {0};
    fixture_init(&crashed);
    faulty_vfs_fail_syncs(SQLITE_IOERR_FSYNC, 1);
    assert_int_equal(append_text(f->port, "run", 2, 2, "unsynced"), GW_EIO);
    char *slash = strrchr(crashed.path, '/');
    *slash = '\0';
    assert_int_equal(mkdir(crashed.path, 0700), 0);
    *slash = '/';
    copy_file(f, &crashed, "");
    copy_file(f, &crashed, "-wal");
    fixture_open(&crashed);
    assert_int_equal(find_tail(crashed.port, "run").tail_seq, 1);
    fixture_fini(&crashed);
}

static void fails_the_whole_group_and_takes_the_next(void **state)
{
    struct fixture *f = *state;
    enum { CALLS = 16 };
    struct inbox inbox;
    inbox_init(&inbox);
    struct append_call calls[CALLS];
    size_t answers = 0;
    sqlite3 *blocker = fixture_block_writes(f);
    for (size_t i = 0; i < CALLS; i++) {
        char name[16];
        snprintf(name, sizeof name, "run-%zu", i);
        calls[i] =
            (struct append_call){.request = {.run = run_key(name), .first_seq = 1, .last_seq = 1, .payload = "", .payload_length = 0}};
        append_start(f->port, &inbox, &calls[i], &answers);
    }
    faulty_vfs_fail_writes(SQLITE_FULL, INT_MAX);
    sqlite3_close(blocker);
    inbox_run_until(&inbox, &answers, CALLS);
    inbox_fini(&inbox);
    faulty_vfs_fail_writes(SQLITE_OK, 0);
    for (size_t i = 0; i < CALLS; i++) {
        assert_int_equal(calls[i].request.status, GW_EIO);
        assert_string_equal(calls[i].request.err.id, "spine_full");
        assert_true(calls[i].request.err.is_retryable);
    }
    assert_int_equal(find_tail(f->port, "run-0").tail_seq, 0);
    assert_int_equal(append_text(f->port, "run-0", 1, 1, "x"), GW_OK);
    assert_int_equal(append_text(f->port, "run", 2, 2, "x"), GW_OK);
}

static void fails_a_put_as_a_whole(void **state)
{
    struct fixture *f = *state;
    const char *const chunks[] = {"a", "b", "c", NULL};
    faulty_vfs_fail_writes(SQLITE_IOERR_WRITE, 1);
    assert_int_equal(put_blob(f->port, "run", 1, 0, chunks), GW_EIO);
    assert_int_equal(get_blob(f->port, "run", GW_SPINE_CHECKPOINT, 1).status, GW_ENOTFOUND);
    assert_int_equal(put_blob(f->port, "run", 1, 0, chunks), GW_OK);
}

static void append_many(struct fixture *f, uint64_t from, uint64_t to)
{
    char payload[PAYLOAD_BYTES + 1];
    memset(payload, 'x', PAYLOAD_BYTES);
    payload[PAYLOAD_BYTES] = '\0';
    for (uint64_t seq = from; seq <= to; seq++)
        assert_int_equal(append_text(f->port, "run", seq, seq, payload), GW_OK);
}

/* A failed sync of the database may have lost pages that SQLite counts as moved. */
static void keeps_the_log_when_the_database_cannot_be_synced(void **state)
{
    struct fixture *f = *state;
    int64_t emptied = fixture_metric(f, "atoms_spine_checkpoints_total");
    faulty_vfs_fail_database_syncs(SQLITE_IOERR_FSYNC, 1);
    append_many(f, 2, 300);
    assert_int_equal(fixture_metric(f, "atoms_spine_checkpoints_total"), emptied);
    fixture_close(f);
    char wal[200];
    struct stat status;
    snprintf(wal, sizeof wal, "%s-wal", f->path);
    assert_int_equal(stat(wal, &status), 0);
    assert_true(status.st_size > 299 * PAYLOAD_BYTES);
    fixture_open(f);
    assert_int_equal(find_tail(f->port, "run").tail_seq, 300);
    append_many(f, 301, 600);
    assert_true(fixture_metric(f, "atoms_spine_checkpoints_total") > emptied);
}

static void fails_an_erasure_as_a_whole(void **state)
{
    struct fixture *f = *state;
    const char *const before[] = {"checkpoint", NULL}, *const after[] = {"another", NULL};
    const struct gw_spine_kept kept = {GW_SPINE_CHECKPOINT, after, (size_t[]){7}, 1};
    append_many(f, 2, 100);
    assert_int_equal(put_blob(f->port, "run", 100, 0, before), GW_OK);
    faulty_vfs_fail_writes(SQLITE_FULL, 1);
    assert_int_equal(erase_keeping(f->port, "run", 101, &kept, 1), GW_EIO);
    faulty_vfs_fail_syncs(SQLITE_IOERR_FSYNC, 1);
    assert_int_equal(erase_below(f->port, "run", 0), GW_EIO);
    struct gw_spine_read read = read_range(f->port, "run", 1, 100, SIZE_MAX);
    assert_int_equal(read.record_count, 100);
    gw_spine_read_fini(&read);
    struct gw_spine_get get = get_blob(f->port, "run", GW_SPINE_CHECKPOINT, 100);
    assert_string_equal(get.chunks[0], "checkpoint");
    gw_spine_get_fini(&get);
    assert_int_equal(append_text(f->port, "run", 101, 101, "x"), GW_OK);
    assert_int_equal(erase_below(f->port, "run", 0), GW_OK);
    assert_int_equal(find_tail(f->port, "run").tail_seq, 0);
}

/* What is erased stays in the log then, and the log until the next start: the order given again finds it gone. */
static void erases_though_the_database_cannot_be_synced(void **state)
{
    struct fixture *f = *state;
    append_many(f, 2, 20);
    faulty_vfs_fail_database_syncs(SQLITE_IOERR_FSYNC, 1);
    assert_int_equal(erase_below(f->port, "run", 21), GW_OK);
    assert_int_equal(append_text(f->port, "run", 21, 21, "goes on"), GW_OK);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(find_tail(f->port, "run").floor_seq, 21);
    assert_int_equal(find_tail(f->port, "run").tail_seq, 21);
    assert_int_equal(erase_below(f->port, "run", 0), GW_OK);
    assert_int_equal(find_tail(f->port, "run").tail_seq, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(refuses_and_recovers_when_files_may_not_grow, set_up_disk, tear_down_disk),
        cmocka_unit_test_setup_teardown(refuses_and_recovers_on_a_full_file_system, set_up_disk, tear_down_disk),
        cmocka_unit_test_setup_teardown(opens_on_a_disk_that_cannot_hold_the_whole_log, set_up_disk, tear_down_disk),
        cmocka_unit_test_setup_teardown(acknowledges_nothing_that_was_not_synced, set_up_faults, tear_down_faults),
        cmocka_unit_test_setup_teardown(does_not_bring_back_what_it_refused, set_up_faults, tear_down_faults),
        cmocka_unit_test_setup_teardown(does_not_bring_back_what_it_refused_after_a_crash, set_up_faults, tear_down_faults),
        cmocka_unit_test_setup_teardown(fails_the_whole_group_and_takes_the_next, set_up_faults, tear_down_faults),
        cmocka_unit_test_setup_teardown(keeps_the_log_when_the_database_cannot_be_synced, set_up_faults, tear_down_faults),
        cmocka_unit_test_setup_teardown(fails_a_put_as_a_whole, set_up_faults, tear_down_faults),
        cmocka_unit_test_setup_teardown(fails_an_erasure_as_a_whole, set_up_faults, tear_down_faults),
        cmocka_unit_test_setup_teardown(erases_though_the_database_cannot_be_synced, set_up_faults, tear_down_faults),
    };
    return cmocka_run_group_tests_name("sqlite spine: disk faults", tests, NULL, NULL);
}
