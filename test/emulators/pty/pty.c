/*
 * The far end of a serial device: makes a pseudo-terminal, links its name to the path that it is given, and carries bytes between it and its own standard
 * input and output until the input ends. Node has no call for that.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static void fail(const char *what) {
	perror(what);
	exit(1);
}

static void carry(int from, int to, int other) {
	char bytes[4096];
	ssize_t count = read(from, bytes, sizeof bytes);
	if (count <= 0) {
		close(other);
		exit(0);
	}
	for (ssize_t done = 0; done < count;) {
		ssize_t written = write(to, bytes + done, count - done);
		if (written <= 0)
			exit(0);
		done += written;
	}
}

int main(int count, char **words) {
	int board = posix_openpt(O_RDWR | O_NOCTTY);
	if (count != 2 || board < 0 || grantpt(board) || unlockpt(board))
		fail("pty");
	const char *name = ptsname(board);
	/* Held open, so that a host that lets go of it does not end it. */
	int device = open(name, O_RDWR | O_NOCTTY);
	struct termios settings;
	if (device < 0 || tcgetattr(device, &settings))
		fail(name);
	cfmakeraw(&settings);
	tcsetattr(device, TCSANOW, &settings);
	unlink(words[1]);
	if (symlink(name, words[1]))
		fail(words[1]);
	fprintf(stderr, "ready\n");
	struct pollfd ends[] = {{.fd = 0, .events = POLLIN}, {.fd = board, .events = POLLIN}};
	for (;;) {
		if (poll(ends, 2, -1) < 0)
			fail("poll");
		if (ends[0].revents)
			carry(0, board, device);
		if (ends[1].revents)
			carry(board, 1, device);
	}
}
