/*
 * The platform that the XS engine is compiled for: Covey's C host. XS includes this file by name (XSPLATFORM) in
 * every one of its sources, so it holds only what the engine itself must know.
 *
 * Three things differ from a desktop build of XS:
 *  - memory comes from memory.c: everything that exists before the board starts is "flash", everything after it is
 *    the board's arena;
 *  - time is the parent's: Date.now() on a board is the time of the present turn, real or virtual;
 *  - nothing is printed: stdout carries frames.
 */
#ifndef COVEY_XS_PLATFORM_H
#define COVEY_XS_PLATFORM_H

#include <errno.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#define mxExport extern
#define mxImport extern
#define XS_FUNCTION_NORETURN __attribute__((noreturn))

/* Fields that the engine adds to its txMachine; the waiter* ones belong to Atomics.wait, which a board never enters. */
#define mxMachinePlatform \
	int promiseJobsQueued; \
	void* waiterCondition; \
	void* waiterData; \
	void* waiterLink;

/*
 * mx32bitID stays undefined, on 64-bit hosts too: a name's ID is 2 bytes, as on the chip, and bytecode is the same
 * everywhere.
 */
#ifndef __riscv /* one hart, and a compiler that brings no atomics of 1, 2 and 8 bytes */
#define mxUseGCCAtomics 1
#endif
#define mxUseDefaultBuildKeys 1
#define mxUseDefaultSharedChunks 1
#define mxUseDefaultCStackLimit 0

/* memory.c */
extern void* host_malloc(size_t size);
extern void* host_calloc(size_t count, size_t size);
extern void* host_realloc(void* block, size_t size);
extern void host_free(void* block);

#define c_malloc host_malloc
#define c_calloc host_calloc
#define c_realloc host_realloc
#define c_free host_free
#define c_malloc_uint32 host_malloc
#define c_free_uint32 host_free

/* board.c */
extern int host_gettimeofday(struct timeval* time, void* zone);
extern uint32_t host_random(void);

typedef struct timeval c_timeval;
#define c_timezone timezone
#define c_gettimeofday host_gettimeofday
#define c_rand host_random
#define C_RAND_MAX UINT32_MAX

#endif
