/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/spawn_vfork.h"

/*
 * The child must not come back through a function whose frame it shares with us, so it gets a stack
 * of its own, on ours, and begins in a function: no wrapper of libc does that and knows cgroups.
 * It may write to errno, for we do not look at it.
 */

#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "base/error.h"

#define STACK_SIZE 16384 /* the child's functions take some hundred bytes, and once 2 KiB */

#if SPAWN_VFORK_IS_BUILT_IN

static long spawn_vfork_call(const struct clone_args *arguments, const SpawnPlan *plan) {
        long result = SYS_clone3;

        __asm__ volatile("syscall\n\t"
                         "test %%rax, %%rax\n\t"
                         "jnz 1f\n\t"
                         "xor %%ebp, %%ebp\n\t" /* the last frame, for debuggers */
                         "mov %[plan], %%rdi\n\t"
                         "call *%[run]\n\t"
                         "ud2\n"
                         "1:"
                         : "+a"(result)
                         : "D"(arguments), "S"(sizeof(*arguments)), [plan] "r"(plan),
                           [run] "r"(spawn_child_run)
                         : "rcx", "r11", "cc", "memory");
        return result;
}

pid_t spawn_vfork(const struct clone_args *arguments, const SpawnPlan *plan) {
        _Alignas(16) char stack[STACK_SIZE];
        struct clone_args all = *arguments;

        all.flags |= CLONE_VM | CLONE_VFORK;
        all.stack = (uintptr_t) stack;
        all.stack_size = sizeof(stack);
        return (pid_t) spawn_vfork_call(&all, plan);
}

#else

pid_t spawn_vfork(const struct clone_args *arguments, const SpawnPlan *plan) {
        (void) arguments;
        (void) plan;
        return -ENOSYS;
}

#endif
