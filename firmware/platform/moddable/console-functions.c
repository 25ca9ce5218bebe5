/*
 * The console's serial line as bytes in both directions, which the Moddable SDK (8.2.3) has no module for: whatever ESP-IDF's console is, a UART or the
 * chip's own USB (CONFIG_ESP_CONSOLE_...), its standard input and output lead there. Declared in console.ts.
 *
 * Without a driver for it the line keeps what one FIFO holds until it is fetched: 128 bytes of a UART, 64 of USB, whose computer waits then.
 */
#include "xsAll.h"
#include "xsmc.h"

#include <unistd.h>
#if ESP32
	#include <fcntl.h>
#else
	#include <poll.h>
#endif

/* covey_console_read(into: Uint8Array): number, how many bytes there were */
void covey_console_read(xsMachine *the)
{
	void *into;
	xsUnsignedValue length;
	int count = 0;

	xsmcGetBufferWritable(xsArg(0), &into, &length);
#if ESP32
	static uint8_t isReady = 0;

	if (!isReady) {
		fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
		isReady = 1;
	}
	count = read(STDIN_FILENO, into, length);
#else
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

	if (poll(&input, 1, 0) > 0 && (input.revents & POLLIN))
		count = read(STDIN_FILENO, into, length);
#endif
	xsmcSetInteger(xsResult, count > 0 ? count : 0);
}

/* covey_console_write(bytes: Uint8Array): undefined */
void covey_console_write(xsMachine *the)
{
	void *bytes;
	xsUnsignedValue length;

	xsmcGetBufferReadable(xsArg(0), &bytes, &length);
	while (length) {
		int written = write(STDOUT_FILENO, bytes, length);

		/* Nobody reads at the other end of a USB. */
		if (written <= 0)
			return;
		bytes = (uint8_t *)bytes + written;
		length -= written;
	}
}
