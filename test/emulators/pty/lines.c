/*
 * Loaded before the C library (LD_PRELOAD): gives a pseudo-terminal the two control lines that it lacks, and writes each change of them to the file that
 * COVEY_LINES names, a line each: DTR and RTS as 0 or 1. So a program's control lines can be looked at, and led to an emulated reset circuit.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* As the kernel leaves them when a device has been opened: both raised, in one step. */
static int state = TIOCM_DTR | TIOCM_RTS;

static void note(void) {
	const char *path = getenv("COVEY_LINES");
	int file = path == NULL ? -1 : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0)
		return;
	dprintf(file, "%d %d\n", (state & TIOCM_DTR) != 0, (state & TIOCM_RTS) != 0);
	close(file);
}

static int set(int to) {
	state = to;
	note();
	return 0;
}

int ioctl(int file, unsigned long request, ...) {
	va_list rest;
	va_start(rest, request);
	void *argument = va_arg(rest, void *);
	va_end(rest);
	int *lines = argument;
	if (request == TIOCMGET) {
		*lines = state;
		return 0;
	}
	if (request == TIOCMSET)
		return set(*lines);
	if (request == TIOCMBIS)
		return set(state | *lines);
	if (request == TIOCMBIC)
		return set(state & ~*lines);
	int (*next)(int, unsigned long, ...) = dlsym(RTLD_NEXT, "ioctl");
	return next(file, request, argument);
}
