/*
 * All that the host asks of an operating system: os-posix.c, and os-rv32.c for none at all. Porting the host (to
 * WebAssembly) is writing one more such file.
 */
#ifndef COVEY_OS_H
#define COVEY_OS_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed memory, backed only where it is touched. NULL when the system refuses. */
void* os_reserve(size_t bytes);

/*
 * From now on a write to these bytes ends the process: on_write is called once, on a stack of its own, and
 * must not return.
 */
void os_protect(void* base, size_t bytes, void (*on_write)(void));

/* The lowest address to which native recursion may grow. */
char* os_stack_limit(void);

/* Machine instructions since the start, where they can be counted exactly; otherwise 0. */
uint64_t os_instructions(void);

/* Takes stdin and stdout for frames. Whatever else prints to stdout goes to stderr from then on. */
void os_open_channel(void);
/* Reads exactly `bytes`. Returns 1, or 0 when the input ended before the first of them, or -1 when it was cut. */
int os_read(void* buffer, size_t bytes);
/* Writes all bytes; returns 0 when the other side is gone. */
int os_write(const void* buffer, size_t bytes);

/* A file's bytes with a zero after them, allocated with malloc; NULL when it can't be read. */
char* os_load_file(const char* path, size_t* bytes);
/* Writes a file whole; returns 0 on failure. */
int os_save_file(const char* path, const void* data, size_t bytes);

/* Text on stderr, if anybody listens. */
void os_tell(const char* text, size_t bytes);
/* One line of it, cut at 1,022 bytes; say.c has it for every system. */
void os_say(const char* format, ...) __attribute__((format(printf, 1, 2)));

void os_exit(int code) __attribute__((noreturn));

#endif
