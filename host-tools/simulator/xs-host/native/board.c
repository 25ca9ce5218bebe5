/*
 * A board: a machine cloned from flash into an arena, the global `host` through which it reaches its parent, and the
 * turns in which it runs.
 */
#include "host.h"

enum {
  /* How the SDK creates the machine of an ESP32-C3 (creation in its manifest; mcconfig's defaults for the keys). */
  CHUNK_BYTES_INITIAL = 1536,
  CHUNK_BYTES_STEP = 512,
  SLOTS_INITIAL = 512,
  SLOTS_STEP = 64,
  KEYS = 256,

  /* Seconds of work on a desktop, minutes on the chip, where the watchdog bites much sooner. */
  TURN_INSTRUCTIONS_MAX = 250 * 1000 * 1000,

  STACK_PAINT = 0x5A,
  FRAME_HEAD_BYTES = 5,
};

/* xsmc.c; its own header clashes with the engine's. */
extern txInteger _xsmcGetBuffer(txMachine* the, txSlot* slot, void** data, txUnsigned* bytes, txBoolean writable);

static struct {
  txMachine* machine;
  Arena arena;
  double now_ms;
  uint32_t random;
  uint32_t heap_peak_bytes;
  uint32_t collections;
  txSlot* deepest; /* the lowest stack slot that was ever in use */
} board;

/* One frame at a time, in either direction: the protocol is strictly alternating while a turn runs. */
static uint8_t frame[4 + FRAME_BYTES_MAX];

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "frames are written as they lie in memory");

/* ---- frames ---- */

static uint8_t* frame_body(void) { return frame + FRAME_HEAD_BYTES; }

static void send_frame(uint8_t type, uint32_t body_bytes) {
  uint32_t length = 1 + body_bytes;
  memcpy(frame, &length, sizeof length);
  frame[4] = type;
  if (!os_write(frame, 4 + length)) os_exit(STOP_END_OF_INPUT); /* the parent is gone: nothing is left to do */
}

/* The next frame's type, or 0 at the end of the input. */
static uint8_t receive_frame(uint32_t* body_bytes) {
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

/* ---- figures ---- */

static uint32_t heap_used_bytes(txMachine* the) {
  return (uint32_t)(the->currentChunksSize + the->currentHeapCount * (txSize)sizeof(txSlot));
}

/*
 * Between two collections the heap only grows (but for a chunk shrunk in place), so its peak is reached just before
 * a collection, or now. This is called at both: the collector marks the host object before it sweeps.
 */
static void sample_peak(txMachine* the) {
  uint32_t used = heap_used_bytes(the);
  if (used > board.heap_peak_bytes) board.heap_peak_bytes = used;
}

static void on_collection(txMachine* the, void* data, txMarkRoot mark) {
  (void)data, (void)mark;
  sample_peak(the);
  board.collections++;
}

static const txHostHooks collection_hooks = {.marker = on_collection};

/*
 * The unused part of the stack is painted before a turn; the deepest use ends where paint begins. XS takes the far end
 * of the unused part for scratch (numbers to text, regular expressions), so the search starts from what is in use.
 */
static void paint_stack(txMachine* the) {
  if (!board.deepest) board.deepest = the->stack;
  memset(the->stackBottom, STACK_PAINT, (size_t)((char*)board.deepest - (char*)the->stackBottom));
}

static int is_painted(const txSlot* slot) {
  const uint8_t* byte = (const uint8_t*)slot;
  for (size_t i = 0; i < sizeof *slot; i++)
    if (byte[i] != STACK_PAINT) return 0;
  return 1;
}

static uint32_t stack_peak_slots(txMachine* the) {
  while (board.deepest > the->stackBottom && !is_painted(board.deepest - 1)) board.deepest--;
  return (uint32_t)(the->stackTop - board.deepest);
}

static Figures figures(txMachine* the) {
  sample_peak(the);
  return (Figures){
      .heap_used_bytes = heap_used_bytes(the),
      .heap_peak_bytes = board.heap_peak_bytes,
      .arena_claimed_bytes =
          (uint32_t)((board.arena.low - board.arena.base) + (board.arena.end - board.arena.high)),
      .arena_bytes = (uint32_t)(board.arena.end - board.arena.base),
      .slot_bytes = sizeof(txSlot),
      .stack_peak_slots = stack_peak_slots(the),
      .stack_slots = (uint32_t)(the->stackTop - the->stackBottom),
      .collections = board.collections,
      .instructions = the->meterIndex,
      .table_bytes = (uint32_t)(((size_t)(the->keyCount - the->keyOffset) + (size_t)the->nameModulo +
                                 (size_t)the->symbolModulo + (size_t)the->aliasCount) *
                                sizeof(txSlot*)),
  };
}

/* ---- the platform's clock and dice ---- */

int host_gettimeofday(struct timeval* time, void* zone) {
  (void)zone;
  double seconds = floor(board.now_ms / 1000);
  time->tv_sec = (time_t)seconds;
  time->tv_usec = (suseconds_t)((board.now_ms - seconds * 1000) * 1000);
  return 0;
}

/* xorshift32 (Marsaglia 2003, triple 13, 17, 5). Math.random is for jitter; keys come through a port. */
uint32_t host_random(void) {
  uint32_t x = board.random;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return board.random = x;
}

/* ---- the global `host` ---- */

static void native_call(txMachine* the) {
  void* request;
  txUnsigned request_bytes;
  if (mxArgc < 1) mxTypeError("host.call: no request");
  _xsmcGetBuffer(the, mxArgv(0), &request, &request_bytes, 0);
  if (request_bytes > FRAME_BYTES_MAX - 1)
    mxRangeError("host.call: a request of %u bytes does not fit a frame", (unsigned)request_bytes);
  memcpy(frame_body(), request, request_bytes);
  send_frame(FRAME_CALL, request_bytes);

  uint32_t reply_bytes;
  switch (receive_frame(&reply_bytes)) {
    case FRAME_RETURN:
      fxArrayBuffer(the, mxResult, frame_body(), (txInteger)reply_bytes, -1);
      break;
    case FRAME_REFUSE:
      frame_body()[reply_bytes < FRAME_BYTES_MAX - 1 ? reply_bytes : FRAME_BYTES_MAX - 2] = 0;
      mxUnknownError("%s", (char*)frame_body());
      break;
    case 0:
      os_exit(STOP_END_OF_INPUT);
    default:
      os_say("the parent answered a call with a frame of type %d", frame[4]);
      os_exit(STOP_PROTOCOL);
  }
}

static void return_number(txMachine* the, double value) {
  mxResult->kind = XS_NUMBER_KIND;
  mxResult->value.number = value;
}

static void native_now(txMachine* the) { return_number(the, board.now_ms); }

static void native_heap_used(txMachine* the) { return_number(the, heap_used_bytes(the)); }

static void native_heap_peak(txMachine* the) {
  sample_peak(the);
  return_number(the, board.heap_peak_bytes);
}

static void native_arena(txMachine* the) { return_number(the, (double)(board.arena.end - board.arena.base)); }

static void native_collect(txMachine* the) { fxCollectGarbage(the); }

const Native board_natives[] = {
    {"call", native_call, 1},         {"now", native_now, 0},     {"heapUsed", native_heap_used, 0},
    {"heapPeak", native_heap_peak, 0}, {"arena", native_arena, 0}, {"collect", native_collect, 0},
};
const int board_natives_count = sizeof board_natives / sizeof board_natives[0];

/* In RAM only the object itself: its functions are inherited from flash, its one own property will be `turn`. */
static void make_host(txMachine* the) {
  fxNewHostObject(the, NULL);
  the->stack->value.reference->value.instance.prototype = preload_natives;
  fxSetHostData(the, the->stack, &board);
  fxSetHostHooks(the, the->stack, &collection_hooks);
  mxPush(mxGlobal);
  mxSetID(fxNewNameC(the, "host"));
  mxPop();
}

/* ---- turns ---- */

static void import_main(txMachine* the) {
  mxPushStringC("main");
  fxAwaitImport(the, XS_IMPORT_NAMESPACE);
  mxPop();
}

/* Calls host.turn(message) and returns the next deadline. */
static double call_turn(txMachine* the, uint32_t message_bytes) {
  mxPush(mxGlobal);
  mxGetID(fxNewNameC(the, "host"));
  mxDub();
  mxGetID(fxNewNameC(the, "turn"));
  if (!fxIsCallable(the, the->stack)) mxTypeError("main has set no function host.turn");
  mxCall();
  mxPushUndefined();
  if (message_bytes > 0) fxArrayBuffer(the, the->stack, frame_body() + sizeof(double), (txInteger)message_bytes, -1);
  mxRunCount(1);
  double deadline_ms = mxIsUndefined(the->stack) ? C_INFINITY : fxToNumber(the, the->stack);
  if (c_isnan(deadline_ms)) mxTypeError("host.turn returned no deadline in milliseconds");
  mxPop();
  return deadline_ms;
}

static txBoolean allow_no_more(txMachine* the, txU4 instructions) {
  (void)the, (void)instructions;
  return 0;
}

static void run_turn(txMachine* the, int first, uint32_t message_bytes) {
  volatile double deadline_ms = C_INFINITY;
  paint_stack(the);
  fxBeginMetering(the, allow_no_more, TURN_INSTRUCTIONS_MAX);
  fxBeginHost(the);
  mxTry(the) {
    if (first) {
      import_main(the);
      engine_run_promise_jobs(the);
    }
    deadline_ms = call_turn(the, first ? 0 : message_bytes);
    engine_run_promise_jobs(the);
  }
  mxCatch(the) { engine_exit_uncaught(the, "uncaught exception"); }
  fxEndHost(the);

  double deadline = deadline_ms;
  Figures now = figures(the);
  memcpy(frame_body(), &deadline, sizeof deadline);
  memcpy(frame_body() + sizeof deadline, &now, sizeof now);
  send_frame(FRAME_DONE, sizeof deadline + sizeof now);
}

static void exit_flash_write(void) {
  char where[256] = "";
  if (board.machine) engine_describe_frames(board.machine, where, sizeof where);
  os_say("write to preloaded (flash) memory%s: what a preloaded module made at its top level cannot be changed so",
         where);
  os_exit(STOP_FLASH_WRITE);
}

void board_run(txMachine* flash, Module* core, Module* main, const BoardOptions* options) {
  txCreation creation = {
      .initialChunkSize = CHUNK_BYTES_INITIAL,
      .incrementalChunkSize = CHUNK_BYTES_STEP,
      .initialHeapCount = SLOTS_INITIAL,
      .incrementalHeapCount = SLOTS_STEP,
      .stackCount = options->stack_slots,
      .initialKeyCount = KEYS,
      .incrementalKeyCount = 0,
      .nameModulo = flash->nameModulo,
      .symbolModulo = flash->symbolModulo,
  };
  flash_seal(exit_flash_write);
  board.random = options->seed * 2654435769u; /* spread, so that near seeds are far from each other */
  if (board.random == 0) board.random = 2654435769u; /* xorshift never leaves 0 */
  if (!arena_open(&board.arena, options->arena_bytes)) {
    os_say("the system refused an arena of %lu bytes", (unsigned long)options->arena_bytes);
    os_exit(STOP_FAILURE);
  }
  txMachine* the = fxCloneMachine(&creation, flash, "board", &board.arena);
  if (!the) {
    os_say("memory full: an arena of %lu bytes does not hold the machine itself", (unsigned long)options->arena_bytes);
    os_exit(STOP_MEMORY_FULL);
  }
  board.machine = the;
  Module* const modules[] = {core, main};
  engine_offer_modules(modules, 2);
  fxBeginHost(the);
  make_host(the);
  fxEndHost(the);

  os_open_channel();
  for (int first = 1;; first = 0) {
    uint32_t body_bytes;
    uint8_t type = receive_frame(&body_bytes);
    if (type == 0) os_exit(STOP_END_OF_INPUT);
    if (type != FRAME_TURN || body_bytes < sizeof(double)) {
      os_say("a frame of type %d from the parent where a turn was due", type);
      os_exit(STOP_PROTOCOL);
    }
    memcpy(&board.now_ms, frame_body(), sizeof board.now_ms);
    run_turn(the, first, body_bytes - (uint32_t)sizeof(double));
  }
}
