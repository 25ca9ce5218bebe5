/* Frames to and from the parent, as protocol.h has them. */
#include "host.h"

enum { FRAME_HEAD_BYTES = 5 };

/* A body begins at a multiple of 8: copying to or from it then costs rv32 an instruction a byte, not thirteen. */
static uint8_t aligned_frame[3 + 4 + FRAME_BYTES_MAX] __attribute__((aligned(8)));
static uint8_t* const frame = aligned_frame + 3;

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "frames are written as they lie in memory");

uint8_t* channel_body(void) { return frame + FRAME_HEAD_BYTES; }

void channel_send(uint8_t type, uint32_t body_bytes) {
  uint32_t length = 1 + body_bytes;
  memcpy(frame, &length, sizeof length);
  frame[4] = type;
  if (!os_write(frame, 4 + length)) os_exit(STOP_END_OF_INPUT); /* the parent is gone: nothing is left to do */
}

uint8_t channel_receive(uint32_t* body_bytes) {
  uint32_t length;
  int got = os_read(&length, sizeof length);
  if (got == 0) return 0;
  if (got < 0 || length < 1 || length > FRAME_BYTES_MAX || os_read(frame + 4, length) != 1) {
    os_say("a frame from the parent is cut or longer than %d bytes", FRAME_BYTES_MAX);
    os_exit(STOP_PROTOCOL);
  }
  *body_bytes = length - 1;
  return frame[4];
}
