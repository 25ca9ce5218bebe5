/* What a board's memory has been used for: the figures that end each turn. */
#include "host.h"

enum { STACK_PAINT = 0x5A };

static struct {
  uint32_t heap_peak_bytes;
  uint32_t collections;
  txSlot* deepest; /* the lowest stack slot that was ever in use */
  uint64_t counted_from; /* machine instructions at the start of the turn, later by what is not the board's own work */
  uint64_t paused_at;
} figures;

uint32_t figures_heap_used_bytes(txMachine* the) {
  return (uint32_t)(the->currentChunksSize + the->currentHeapCount * (txSize)sizeof(txSlot));
}

/*
 * Between two collections the heap only grows (but for a chunk shrunk in place), so its peak is reached just before
 * a collection, or now. This is called at both: the collector marks the host object before it sweeps.
 */
static void sample_peak(txMachine* the) {
  uint32_t used = figures_heap_used_bytes(the);
  if (used > figures.heap_peak_bytes) figures.heap_peak_bytes = used;
}

uint32_t figures_heap_peak_bytes(txMachine* the) {
  sample_peak(the);
  return figures.heap_peak_bytes;
}

static void on_collection(txMachine* the, void* data, txMarkRoot mark) {
  (void)data, (void)mark;
  sample_peak(the);
  figures.collections++;
}

const txHostHooks figures_hooks = {.marker = on_collection};

/*
 * The unused part of the stack is painted before a turn; the deepest use ends where paint begins. XS takes the far end
 * of the unused part for scratch (numbers to text, regular expressions), so the search starts from what is in use.
 */
void figures_begin_turn(txMachine* the) {
  if (!figures.deepest) figures.deepest = the->stack;
  memset(the->stackBottom, STACK_PAINT, (size_t)((char*)figures.deepest - (char*)the->stackBottom));
  figures.counted_from = os_instructions();
}

void figures_pause_count(void) { figures.paused_at = os_instructions(); }

void figures_resume_count(void) { figures.counted_from += os_instructions() - figures.paused_at; }

static int is_painted(const txSlot* slot) {
  const uint8_t* byte = (const uint8_t*)slot;
  for (size_t i = 0; i < sizeof *slot; i++)
    if (byte[i] != STACK_PAINT) return 0;
  return 1;
}

uint32_t figures_stack_peak_slots(txMachine* the) {
  while (figures.deepest > the->stackBottom && !is_painted(figures.deepest - 1)) figures.deepest--;
  return (uint32_t)(the->stackTop - figures.deepest);
}

Figures figures_take(txMachine* the, const Arena* arena) {
  uint64_t machine_instructions = os_instructions() - figures.counted_from;
  sample_peak(the);
  return (Figures){
      .heap_used_bytes = figures_heap_used_bytes(the),
      .heap_peak_bytes = figures.heap_peak_bytes,
      .arena_claimed_bytes = (uint32_t)((arena->low - arena->base) + (arena->end - arena->high)),
      .arena_bytes = (uint32_t)(arena->end - arena->base),
      .slot_bytes = sizeof(txSlot),
      .stack_peak_slots = figures_stack_peak_slots(the),
      .stack_slots = (uint32_t)(the->stackTop - the->stackBottom),
      .collections = figures.collections,
      .instructions = the->meterIndex,
      .table_bytes = (uint32_t)(((size_t)(the->keyCount - the->keyOffset) + (size_t)the->nameModulo +
                                 (size_t)the->symbolModulo + (size_t)the->aliasCount) *
                                sizeof(txSlot*)),
      .machine_instructions = machine_instructions,
  };
}
