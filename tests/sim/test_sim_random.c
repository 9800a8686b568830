/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Many runs of random daemons with random accidents, each from a seed of its own. What must hold in
 * all of them is in watch.c.
 *
 *   SIM_SCENARIOS=N  so many runs (1000)
 *   SIM_FIRST=N      seeds from N on (1)
 *   SIM_JOBS=N       so many at a time (one for each processor)
 *   SIM_ALONE=1      each in a process of its own, as it is slow: what is found at its end (a leak)
 *                    can be told from what is left by others
 *   SIM_SEED=N       this one only, with a trace of all that happens on stderr
 *
 * Runs are made by workers, which take one seed after the other. One that dies is replaced, and
 * the seed that it was at is a finding: by a failed promise, a crash, or an endless loop alike.
 */

#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/scenario.h"

#define SCENARIOS    1000
#define JOBS_MAX     64
#define SHOWN_MAX    20 /* so many findings are enough */
#define BUSY_SECONDS 60 /* of processor time, for one run */

/* Shared with the workers. */
typedef struct Work {
        atomic_uint_fast64_t next;
        atomic_uint_fast64_t at[JOBS_MAX]; /* what a worker is at; 0: between two */
} Work;

static struct {
        Work *work;
        const char *program;
        uint64_t first, end;
        bool alone;
        unsigned jobs;
        pid_t workers[JOBS_MAX]; /* 0: none */
        uint64_t failed;
        uint64_t seeds[SHOWN_MAX]; /* the first ones that failed; 0: not known */
} run;

static uint64_t environment_number(const char *name, uint64_t preset) {
        const char *text = getenv(name);

        return text && *text ? strtoull(text, NULL, 10) : preset;
}

static uint64_t processors(void) {
        cpu_set_t set;

        return sched_getaffinity(0, sizeof(set), &set) == 0 ? (uint64_t) CPU_COUNT(&set) : 1;
}

/* ---- workers ---- */

static void worker_run(unsigned number) {
        static const struct itimerval busy = { .it_value = { .tv_sec = BUSY_SECONDS } };
        uint64_t seed;

        while ((seed = atomic_fetch_add(&run.work->next, 1)) < run.end) {
                atomic_store(&run.work->at[number], seed);
                setitimer(ITIMER_PROF, &busy, NULL);
                scenario_run(seed);
                if (run.alone)
                        return;
                atomic_store(&run.work->at[number], 0);
        }
}

static void worker_begin(unsigned number) {
        atomic_store(&run.work->at[number], 0);
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                worker_run(number);
                exit(EXIT_SUCCESS);
        }
        if (pid < 0) {
                perror("fork");
                exit(EXIT_FAILURE);
        }
        run.workers[number] = pid;
}

static unsigned worker_number(pid_t pid) {
        unsigned number = 0;

        while (run.workers[number] != pid)
                number++;
        return number;
}

static void note_failure(uint64_t seed, int status) {
        fprintf(stderr, "seed %" PRIu64 " failed: wait status 0x%x\n", seed, (unsigned) status);
        if (run.failed < SHOWN_MAX)
                run.seeds[run.failed] = seed;
        run.failed++;
}

static void print_failure(uint64_t seed) {
        if (seed > 0)
                printf("# seed %" PRIu64 " failed; again: SIM_SEED=%" PRIu64 " %s\n", seed, seed,
                       run.program);
        else
                printf("# one of many runs left something; which one: SIM_ALONE=1 "
                       "SIM_FIRST=%" PRIu64 " SIM_SCENARIOS=%" PRIu64 " %s\n",
                       run.first, run.end - run.first, run.program);
}

static void print_verdict(void) {
        printf("%s 1 - %" PRIu64 " random scenarios, %" PRIu64 " failed\n",
               run.failed > 0 ? "not ok" : "ok", run.end - run.first, run.failed);
        for (uint64_t i = 0; i < run.failed && i < SHOWN_MAX; i++)
                print_failure(run.seeds[i]);
}

/* Waits for one that ends; false: there is none. */
static bool worker_end(void) {
        int status;
        pid_t pid = wait(&status);
        if (pid < 0)
                return false;

        unsigned number = worker_number(pid);
        run.workers[number] = 0;
        if (status != 0)
                note_failure(atomic_load(&run.work->at[number]), status);
        if (atomic_load(&run.work->next) < run.end)
                worker_begin(number);
        return true;
}

static void run_all(void) {
        run.work = mmap(NULL, sizeof(*run.work), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                        -1, 0);
        if (run.work == MAP_FAILED) {
                perror("mmap");
                exit(EXIT_FAILURE);
        }
        atomic_store(&run.work->next, run.first);
        for (unsigned i = 0; i < run.jobs; i++)
                worker_begin(i);
        while (worker_end())
                ;
        munmap(run.work, sizeof(*run.work));
}

/* Daemons inherit ours: the same everywhere, with something that they may not see. */
static void make_environment(void) {
        clearenv();
        setenv("PATH", "/usr/bin:/bin", 1);
        setenv("NOTIFY_SOCKET", "/run/systemd/notify", 1);
        setenv("LANG", "C.UTF-8", 1);
}

int main(int argc, char *argv[]) {
        uint64_t scenarios = environment_number("SIM_SCENARIOS", SCENARIOS);
        uint64_t seed = environment_number("SIM_SEED", 0);
        uint64_t jobs = environment_number("SIM_JOBS", processors());

        (void) argc;
        run.first = environment_number("SIM_FIRST", 1);
        run.alone = environment_number("SIM_ALONE", 0) != 0;
        make_environment();
        if (seed > 0) {
                setenv("SIM_TRACE", "1", 1);
                scenario_run(seed);
                return EXIT_SUCCESS;
        }

        run.program = argv[0];
        run.end = run.first + scenarios;
        run.jobs = jobs < 1 ? 1 : jobs > JOBS_MAX ? JOBS_MAX : (unsigned) jobs;
        printf("1..1\n");
        run_all();
        print_verdict();
        return run.failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
