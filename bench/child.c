/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A daemon for the benchmarks: notes when its main() began, tells crowd so through the FIFO, keeps
 * that open as long as it lives, and does nothing more. Ends by SIGTERM as everybody does.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "record.h"

int main(int argc, char *argv[]) {
        Record record = { .pid = getpid() };

        clock_gettime(CLOCK_MONOTONIC, &record.time);
        if (argc != 3)
                return EXIT_FAILURE;
        record.index = (unsigned) atoi(argv[2]);

        int fd = open(argv[1], O_WRONLY);
        if (fd < 0 || write(fd, &record, sizeof(record)) != (ssize_t) sizeof(record))
                return EXIT_FAILURE;
        for (;;)
                pause();
}
