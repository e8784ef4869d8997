/* Preloaded into a process, it moves the clock and fills the disk for that process alone, as two numbers in a file say:
   how many seconds the clock is off, and whether the disk is full. Standard error is on another disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *faults;

__attribute__((constructor)) static void look(void) {
    const char *path = getenv("FAULTY_MACHINE");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *seen = mmap(0, 16, PROT_READ, MAP_SHARED, fd, 0);
    if (seen != MAP_FAILED)
        faults = seen;
    close(fd);
}

static int64_t late(void) { return faults ? faults[0] : 0; }

#define REAL(type, name, ...)                           \
    static type (*real)(__VA_ARGS__);                   \
    if (!real)                                          \
        real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

int clock_gettime(clockid_t clock, struct timespec *now) {
    REAL(int, clock_gettime, clockid_t, struct timespec *);
    int result = real(clock, now);
    if (!result && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += late();
    return result;
}

int gettimeofday(struct timeval *now, void *zone) {
    REAL(int, gettimeofday, struct timeval *, void *);
    int result = real(now, zone);
    if (!result)
        now->tv_sec += late();
    return result;
}

time_t time(time_t *now) {
    struct timespec read;
    clock_gettime(CLOCK_REALTIME, &read);
    if (now)
        *now = read.tv_sec;
    return read.tv_sec;
}

/* Whether a file would have to grow, which a full disk does not let it. `end` -1: by `size` from where it stands. */
static int full(int fd, off_t end, size_t size) {
    struct stat file;
    if (!faults || !faults[1] || fd == STDERR_FILENO || fstat(fd, &file) || !S_ISREG(file.st_mode))
        return 0;
    if (end < 0) {
        off_t at = fcntl(fd, F_GETFL) & O_APPEND ? file.st_size : lseek(fd, 0, SEEK_CUR);
        end = at + (off_t)size;
    }
    if (end <= file.st_size)
        return 0;
    errno = ENOSPC;
    return 1;
}

static size_t all(const struct iovec *parts, int count) {
    size_t size = 0;
    for (int n = 0; n < count; n++)
        size += parts[n].iov_len;
    return size;
}

ssize_t write(int fd, const void *data, size_t size) {
    REAL(ssize_t, write, int, const void *, size_t);
    return full(fd, -1, size) ? -1 : real(fd, data, size);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(ssize_t, writev, int, const struct iovec *, int);
    return full(fd, -1, all(parts, count)) ? -1 : real(fd, parts, count);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    return full(fd, at + (off_t)size, 0) ? -1 : real(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
    return full(fd, at + (off_t)size, 0) ? -1 : real(fd, data, size, at);
}

int ftruncate(int fd, off_t size) {
    REAL(int, ftruncate, int, off_t);
    return full(fd, size, 0) ? -1 : real(fd, size);
}

int ftruncate64(int fd, off64_t size) {
    REAL(int, ftruncate64, int, off64_t);
    return full(fd, size, 0) ? -1 : real(fd, size);
}

int posix_fallocate(int fd, off_t at, off_t size) {
    REAL(int, posix_fallocate, int, off_t, off_t);
    return full(fd, at + size, 0) ? ENOSPC : real(fd, at, size);
}

int fallocate(int fd, int mode, off_t at, off_t size) {
    REAL(int, fallocate, int, int, off_t, off_t);
    return full(fd, at + size, 0) ? -1 : real(fd, mode, at, size);
}
