/* What the parts of the host know of each other. */
#ifndef COVEY_HOST_H
#define COVEY_HOST_H

#include "xsAll.h"
#include "xsScript.h"

#include "os.h"
#include "protocol.h"

/* A module as bytecode: what `compile` writes and `run` reads. */
typedef struct {
  const char* name;
  txByte* code;
  txSize code_bytes;
  txByte* symbols; /* count, then zero-terminated names; the code names them by position */
  txSize symbols_bytes;
} Module;

/* bytecode.c */
int bytecode_compile(const char* name, const char* source_path, const char* output_path);
int bytecode_load(const char* name, const char* path, Module* module);
/* Gives every name in the code its ID in this machine. */
void bytecode_link(txMachine* the, Module* module);

/* memory.c */
typedef struct {
  uint8_t* base;
  uint8_t* low;  /* chunks grow up to here */
  uint8_t* high; /* slots grow down to here */
  uint8_t* end;
  size_t refused_bytes; /* the last request that did not fit */
} Arena;

int arena_open(Arena* arena, size_t bytes);
/* Everything allocated between open and seal is flash: a write to it after the seal ends the process. */
int flash_open(void);
size_t flash_seal(void (*on_write)(void));

/* preload.c */
/*
 * Makes the machine that a linker would put into flash: the intrinsics, and `core` with its top level run, frozen.
 * `main` (or NULL) only gets its names. Exits with a message when core's top level throws.
 */
txMachine* preload_link(Module* core, Module* main);
/* The frozen object with the native functions of `host`, in flash. */
extern txSlot* preload_natives;

/* check.c: prints what of a linked core stays changeable. */
void check_core(txMachine* flash);

/* channel.c */
/*
 * One frame at a time, in either direction: the protocol alternates strictly. The body that was received is valid
 * until the next frame, and the body to send is written to the same place.
 */
uint8_t* channel_body(void);
/* Ends the process when the parent is gone. */
void channel_send(uint8_t type, uint32_t body_bytes);
/* The next frame's type, or 0 at the end of the input. Ends the process when it is no frame. */
uint8_t channel_receive(uint32_t* body_bytes);

/* figures.c */
/* For an object that lives as long as the board: tells of each collection. */
extern const txHostHooks figures_hooks;
void figures_begin_turn(txMachine* the);
/* Between these two the machine's instructions are not counted: what the board would not do on a chip. */
void figures_pause_count(void);
void figures_resume_count(void);
Figures figures_take(txMachine* the, const Arena* arena);
uint32_t figures_heap_used_bytes(txMachine* the);
uint32_t figures_heap_peak_bytes(txMachine* the);
/* The deepest that the JavaScript stack ever was, also in the middle of a turn. */
uint32_t figures_stack_peak_slots(txMachine* the);

/* board.c */
typedef struct {
  size_t arena_bytes;
  txSize stack_slots;
  /* What the heap has at first, and by how much it grows when a collection did not find enough. */
  txSize chunk_bytes_initial;
  txSize chunk_bytes_step;
  txSize slots_initial;
  txSize slots_step;
  uint32_t seed;
} BoardOptions;

void board_run(txMachine* flash, Module* core, Module* main, const BoardOptions* options) __attribute__((noreturn));

typedef struct {
  const char* name;
  txCallback function;
  int length;
} Native;
/* The functions of the global `host`. */
extern const Native board_natives[];
extern const int board_natives_count;

/* engine.c: what XS asks of its platform, and how its failures are told. */
void engine_offer_modules(Module* const modules[], int count);
void engine_run_promise_jobs(txMachine* the);
/* The names of the functions that run, innermost first, as " in a, called by b, by c"; empty when none has a name. */
void engine_describe_frames(txMachine* the, char* text, size_t bytes);
/* Tells of the pending exception and exits. `where` begins the sentence. */
void engine_exit_uncaught(txMachine* the, const char* where) __attribute__((noreturn));

#endif
