/*
 *   covey-xs compile NAME IN.js OUT.xsb        an ES module's source to bytecode
 *   covey-xs run [options] CORE.xsb MAIN.xsb   a board: CORE preloaded, MAIN started, turns on stdin and stdout
 *   covey-xs check CORE.xsb                    what of CORE stays changeable when it is preloaded
 *
 *     --arena BYTES   RAM for chunks, slots and stack (94208: an ESP32-C3 as the SDK creates it)
 *     --stack SLOTS   of it for the JavaScript stack (384)
 *     --seed NUMBER   for Math.random (1)
 *     --chunks BYTES, --chunk-step BYTES, --slots SLOTS, --slot-step SLOTS
 *                     what the heap has at first and how it grows (1536, 512, 1024, 256: as manifest.json creates it)
 */
#include "host.h"

enum { ARENA_BYTES = 94208, COUNT_MAX = 1024 * 1024 * 1024, STACK_SLOTS_MAX = 1024 * 1024 };

static int usage(void) {
  os_say("usage: covey-xs compile NAME IN.js OUT.xsb | covey-xs check CORE.xsb | "
         "covey-xs run [--arena BYTES] [--stack SLOTS] [--seed NUMBER] [--chunks BYTES] [--chunk-step BYTES] "
         "[--slots SLOTS] [--slot-step SLOTS] CORE.xsb MAIN.xsb");
  return STOP_FAILURE;
}

static int parse_number(const char* text, unsigned long* value) {
  char* end;
  errno = 0;
  *value = strtoul(text, &end, 10);
  return *text >= '0' && *text <= '9' && *end == 0 && errno == 0;
}

static void open_flash(void) {
  fxInitializeSharedCluster(); /* the engine's own process-wide record: before flash, since it counts machines */
  if (flash_open()) return;
  os_say("the system refused memory for the flash image");
  os_exit(STOP_FAILURE);
}

static int check(const char* path) {
  Module core;
  open_flash();
  if (!bytecode_load("core", path, &core)) return STOP_FAILURE;
  check_core(preload_link(&core, NULL));
  return 0;
}

/* Returns 0 for a word that is no option, or a value that it can't have. */
static int set_option(BoardOptions* options, const char* word, unsigned long value) {
  const struct {
    const char* word;
    txSize* count;
    unsigned long max;
  } counts[] = {
      {"--stack", &options->stack_slots, STACK_SLOTS_MAX},
      {"--chunks", &options->chunk_bytes_initial, COUNT_MAX},
      {"--chunk-step", &options->chunk_bytes_step, COUNT_MAX},
      {"--slots", &options->slots_initial, COUNT_MAX / sizeof(txSlot)},
      {"--slot-step", &options->slots_step, COUNT_MAX / sizeof(txSlot)},
  };
  if (strcmp(word, "--arena") == 0) return options->arena_bytes = value, 1;
  if (strcmp(word, "--seed") == 0) return options->seed = (uint32_t)value, 1;
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
    if (strcmp(word, counts[i].word) == 0 && value <= counts[i].max) return *counts[i].count = (txSize)value, 1;
  return 0;
}

static int run(int count, char* words[]) {
  BoardOptions options = {
      .arena_bytes = ARENA_BYTES,
      .stack_slots = 384,
      .seed = 1,
      .chunk_bytes_initial = 1536,
      .chunk_bytes_step = 512,
      /* XS collects whenever slots run out: half as often as with the SDK's 512 and 64, for 2 KB more at the peak. */
      .slots_initial = 1024,
      .slots_step = 256,
  };
  for (; count >= 2 && words[0][0] == '-'; words += 2, count -= 2) {
    unsigned long value;
    if (!parse_number(words[1], &value) || !set_option(&options, words[0], value)) return usage();
  }
  if (count != 2) return usage();

  Module core, main;
  open_flash();
  if (!bytecode_load("core", words[0], &core) || !bytecode_load("main", words[1], &main)) return STOP_FAILURE;
  txMachine* flash = preload_link(&core, &main);
  board_run(flash, &core, &main, &options);
}

int main(int argc, char* argv[]) {
  if (argc == 5 && strcmp(argv[1], "compile") == 0) return bytecode_compile(argv[2], argv[3], argv[4]);
  if (argc == 3 && strcmp(argv[1], "check") == 0) return check(argv[2]);
  if (argc >= 4 && strcmp(argv[1], "run") == 0) return run(argc - 2, argv + 2);
  return usage();
}
