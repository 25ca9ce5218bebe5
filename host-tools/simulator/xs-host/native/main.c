/*
 *   covey-xs compile NAME IN.js OUT.xsb        an ES module's source to bytecode
 *   covey-xs run [options] CORE.xsb MAIN.xsb   a board: CORE preloaded, MAIN started, turns on stdin and stdout
 *   covey-xs check CORE.xsb                    what of CORE stays changeable when it is preloaded
 *
 *     --arena BYTES   RAM for chunks, slots and stack (94208: an ESP32-C3 as the SDK creates it)
 *     --stack SLOTS   of it for the JavaScript stack (384)
 *     --seed NUMBER   for Math.random (1)
 */
#include "host.h"

enum { ARENA_BYTES = 94208, STACK_SLOTS = 384, STACK_SLOTS_MAX = 1024 * 1024 };

static int usage(void) {
  os_say("usage: covey-xs compile NAME IN.js OUT.xsb | covey-xs check CORE.xsb | "
         "covey-xs run [--arena BYTES] [--stack SLOTS] [--seed NUMBER] CORE.xsb MAIN.xsb");
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

static int run(int count, char* words[]) {
  BoardOptions options = {.arena_bytes = ARENA_BYTES, .stack_slots = STACK_SLOTS, .seed = 1};
  for (; count >= 2 && words[0][0] == '-'; words += 2, count -= 2) {
    unsigned long value;
    if (!parse_number(words[1], &value)) return usage();
    if (strcmp(words[0], "--arena") == 0)
      options.arena_bytes = value;
    else if (strcmp(words[0], "--stack") == 0 && value <= STACK_SLOTS_MAX)
      options.stack_slots = (txSize)value;
    else if (strcmp(words[0], "--seed") == 0)
      options.seed = (uint32_t)value;
    else
      return usage();
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
