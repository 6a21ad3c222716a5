/* Moves the wall clock of one process, by the seconds in the file that CLOCK_FILE names; looked up once a second. The
   monotonic clock stays. In place of libfaketime, under which a JVM is ten times slower. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long offset;
static volatile time_t looked;

int clock_gettime(clockid_t clock, struct timespec *time) {
    long result = syscall(SYS_clock_gettime, clock, time);
    if (result != 0 || clock != CLOCK_REALTIME) return (int)result;
    if (looked != time->tv_sec) {
        looked = time->tv_sec;
        const char *path = getenv("CLOCK_FILE");
        int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (file >= 0) {
            char text[32];
            long bytes = read(file, text, sizeof text - 1);
            close(file);
            if (bytes > 0) {
                text[bytes] = 0;
                offset = strtol(text, 0, 10);
            }
        }
    }
    time->tv_sec += offset;
    return 0;
}

int gettimeofday(struct timeval *time, void *zone) {
    (void)zone;
    struct timespec now;
    int result = clock_gettime(CLOCK_REALTIME, &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return result;
}
