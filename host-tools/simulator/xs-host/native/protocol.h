/*
 * The turn protocol between a board's process and its parent, on stdin and stdout. ../frames.ts is the same in
 * TypeScript; change both.
 *
 * A frame is: u32 length of what follows, u8 type, body. All little endian. No frame is longer than
 * FRAME_BYTES_MAX after its length field.
 *
 *   parent -> board  TURN    f64 now in milliseconds, then a message (empty: only a deadline passed)
 *   board -> parent  CALL    request; the board waits for RETURN or REFUSE
 *   parent -> board  RETURN  reply
 *   parent -> board  REFUSE  UTF-8 text: host.call throws an Error with it
 *   board -> parent  DONE    f64 next deadline in milliseconds (Infinity: none), then the heap figures below
 *
 * A turn ends when every promise job has run. The first turn runs main's top level, and then host.turn() without a
 * message. The board exits with code 0 when stdin ends between turns.
 */
#ifndef COVEY_PROTOCOL_H
#define COVEY_PROTOCOL_H

#include <stdint.h>

enum { FRAME_BYTES_MAX = 64 * 1024 };

enum { FRAME_TURN = 1, FRAME_CALL = 2, FRAME_RETURN = 3, FRAME_REFUSE = 4, FRAME_DONE = 5 };

/* The figures that follow the deadline in DONE, in this order, without padding. */
typedef struct {
  uint32_t heap_used_bytes;     /* chunks and slots in use now, garbage since the last collection included */
  uint32_t heap_peak_bytes;     /* the most that heap_used_bytes ever was */
  uint32_t arena_claimed_bytes; /* of the arena: what chunks, slots and stack have ever claimed */
  uint32_t arena_bytes;
  uint32_t slot_bytes;       /* 16 as on the chip, 32 on a 64-bit host */
  uint32_t stack_peak_slots; /* the deepest that the JavaScript stack ever was */
  uint32_t stack_slots;
  uint32_t collections; /* garbage collections since start */
  uint32_t instructions; /* bytecode instructions that this turn took: the same on every run */
  uint32_t table_bytes; /* outside the arena, in RAM on a chip too: tables of names, keys and aliases */
  /* What this turn took on rv32, the wait for answers to calls left out; 0 where it is not counted. */
  uint64_t machine_instructions;
} Figures;

_Static_assert(sizeof(Figures) == 10 * sizeof(uint32_t) + sizeof(uint64_t), "figures are sent as they lie in memory");

/* Exit codes of `covey-xs run`. ../exit-reason.ts names them. */
enum {
  STOP_END_OF_INPUT = 0,
  STOP_FAILURE = 1, /* bad arguments, an unreadable file, source that does not parse */
  STOP_MEMORY_FULL = 10,
  STOP_UNCAUGHT = 11,
  STOP_FLASH_WRITE = 12,
  STOP_STACK_OVERFLOW = 13,
  STOP_NAMES_FULL = 14,
  STOP_PROTOCOL = 15,
  STOP_ENDLESS_TURN = 16,
  STOP_ENGINE = 17, /* the engine gave up for another reason */
};

#endif
