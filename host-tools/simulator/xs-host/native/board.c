/*
 * A board: a machine cloned from flash into an arena, the global `host` through which it reaches its parent, and the
 * turns in which it runs.
 */
#include "host.h"

enum {
  /* mcconfig's default. */
  KEYS = 256,

  /* Seconds of work on a desktop, minutes on the chip, where the watchdog bites much sooner. */
  TURN_INSTRUCTIONS_MAX = 250 * 1000 * 1000,
};

/* xsmc.c; its own header clashes with the engine's. */
extern txInteger _xsmcGetBuffer(txMachine* the, txSlot* slot, void** data, txUnsigned* bytes, txBoolean writable);

static struct {
  txMachine* machine;
  Arena arena;
  double now_ms;
  uint32_t random;
} board;

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
  figures_pause_count();
  memcpy(channel_body(), request, request_bytes);
  channel_send(FRAME_CALL, request_bytes);
  uint32_t reply_bytes;
  uint8_t answer = channel_receive(&reply_bytes);
  figures_resume_count();
  switch (answer) {
    case FRAME_RETURN:
      fxArrayBuffer(the, mxResult, channel_body(), (txInteger)reply_bytes, -1);
      break;
    case FRAME_REFUSE:
      channel_body()[reply_bytes < FRAME_BYTES_MAX - 1 ? reply_bytes : FRAME_BYTES_MAX - 2] = 0;
      mxUnknownError("%s", (char*)channel_body());
      break;
    case 0:
      os_exit(STOP_END_OF_INPUT);
    default:
      os_say("the parent answered a call with a frame that is no answer");
      os_exit(STOP_PROTOCOL);
  }
}

static void return_number(txMachine* the, double value) {
  mxResult->kind = XS_NUMBER_KIND;
  mxResult->value.number = value;
}

static void native_now(txMachine* the) { return_number(the, board.now_ms); }

static void native_heap_used(txMachine* the) { return_number(the, figures_heap_used_bytes(the)); }

static void native_heap_peak(txMachine* the) { return_number(the, figures_heap_peak_bytes(the)); }

static void native_stack_peak(txMachine* the) { return_number(the, figures_stack_peak_slots(the)); }

static void native_arena(txMachine* the) { return_number(the, (double)(board.arena.end - board.arena.base)); }

static void native_collect(txMachine* the) { fxCollectGarbage(the); }

const Native board_natives[] = {
    {"call", native_call, 1},          {"now", native_now, 0},
    {"heapUsed", native_heap_used, 0}, {"heapPeak", native_heap_peak, 0},
    {"arena", native_arena, 0},        {"stackPeak", native_stack_peak, 0},
    {"collect", native_collect, 0},
};
const int board_natives_count = sizeof board_natives / sizeof board_natives[0];

/* In RAM only the object itself: its functions are inherited from flash, its one own property will be `turn`. */
static void make_host(txMachine* the) {
  fxNewHostObject(the, NULL);
  the->stack->value.reference->value.instance.prototype = preload_natives;
  fxSetHostData(the, the->stack, &board);
  fxSetHostHooks(the, the->stack, &figures_hooks);
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
  if (message_bytes > 0) fxArrayBuffer(the, the->stack, channel_body() + sizeof(double), (txInteger)message_bytes, -1);
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
  figures_begin_turn(the);
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
  Figures now = figures_take(the, &board.arena);
  memcpy(channel_body(), &deadline, sizeof deadline);
  memcpy(channel_body() + sizeof deadline, &now, sizeof now);
  channel_send(FRAME_DONE, sizeof deadline + sizeof now);
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
      .initialChunkSize = options->chunk_bytes_initial,
      .incrementalChunkSize = options->chunk_bytes_step,
      .initialHeapCount = options->slots_initial,
      .incrementalHeapCount = options->slots_step,
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
    uint8_t type = channel_receive(&body_bytes);
    if (type == 0) os_exit(STOP_END_OF_INPUT);
    if (type != FRAME_TURN || body_bytes < sizeof(double)) {
      os_say("a frame of type %d from the parent where a turn was due", type);
      os_exit(STOP_PROTOCOL);
    }
    memcpy(&board.now_ms, channel_body(), sizeof board.now_ms);
    run_turn(the, first, body_bytes - (uint32_t)sizeof(double));
  }
}
