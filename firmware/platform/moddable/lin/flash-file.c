/*
 * A flash partition as a file, for lin/flash.ts: NOR flash that a write can only clear bits of and an erase sets to 0xFF.
 * What a call has written is on the disk when it returns.
 */
#include "xsmc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define kBlockBytes (4096)

static void throwIf(xsMachine *the, int failed)
{
	if (failed)
		xsUnknownError("flash file: %s", strerror(errno));
}

/* covey_flash_open(path: string, sizeBytes: number): number, a file descriptor; a new file is erased flash. */
void covey_flash_open(xsMachine *the)
{
	uint8_t erased[kBlockBytes];
	struct stat status;
	int size = xsmcToInteger(xsArg(1));
	int fd = open(xsmcToString(xsArg(0)), O_RDWR | O_CREAT, 0600);

	throwIf(the, fd < 0);
	throwIf(the, fstat(fd, &status));
	memset(erased, 0xFF, sizeof(erased));
	for (off_t offset = status.st_size; offset < size; offset += sizeof(erased))
		throwIf(the, pwrite(fd, erased, sizeof(erased), offset) != sizeof(erased));
	throwIf(the, fsync(fd));
	xsmcSetInteger(xsResult, fd);
}

/* covey_flash_read(fd: number, byteLength: number, byteOffset: number): ArrayBuffer */
void covey_flash_read(xsMachine *the)
{
	int fd = xsmcToInteger(xsArg(0));
	int length = xsmcToInteger(xsArg(1));
	void *bytes = xsmcSetArrayBuffer(xsResult, NULL, length);

	throwIf(the, pread(fd, bytes, length, xsmcToInteger(xsArg(2))) != length);
}

/* covey_flash_write(fd: number, bytes: Uint8Array, byteOffset: number): undefined */
void covey_flash_write(xsMachine *the)
{
	int fd = xsmcToInteger(xsArg(0));
	int offset = xsmcToInteger(xsArg(2));
	uint8_t *bytes, *stored;
	xsUnsignedValue length;
	int failed;

	xsmcGetBufferReadable(xsArg(1), (void **)&bytes, &length);
	stored = malloc(length);
	if (!stored)
		xsRangeError("no memory");
	failed = pread(fd, stored, length, offset) != (ssize_t)length;
	for (xsUnsignedValue index = 0; index < length; index++)
		stored[index] &= bytes[index];
	failed = failed || (pwrite(fd, stored, length, offset) != (ssize_t)length) || fsync(fd);
	free(stored);
	throwIf(the, failed);
}

/* covey_flash_erase(fd: number, block: number): undefined */
void covey_flash_erase(xsMachine *the)
{
	uint8_t erased[kBlockBytes];
	int fd = xsmcToInteger(xsArg(0));
	off_t offset = (off_t)xsmcToInteger(xsArg(1)) * sizeof(erased);

	memset(erased, 0xFF, sizeof(erased));
	throwIf(the, (pwrite(fd, erased, sizeof(erased), offset) != sizeof(erased)) || fsync(fd));
}
