/*
 * Where a machine's memory comes from.
 *
 * A linked board has two kinds. What exists before it starts (intrinsics, the preloaded core, bytecode, names) is in
 * flash; what it makes itself is in one static block of RAM, the arena, with chunks (strings, buffers, arrays) growing
 * up from its start and slots growing down from its end until they meet. The JavaScript stack is the first thing
 * taken from the end. The SDK lays out the ESP32-C3 so (creation.static); figures from here are the chip's.
 *
 * Flash is a reserved range that is filled front to back while the link-time machine lives and made read-only before
 * the board's machine is cloned from it.
 */
#include "host.h"

enum {
  ALIGNMENT = 16,
  /* A large core's image and the garbage of making it take about 1 MB. Untouched pages cost nothing. */
  FLASH_BYTES_MAX = 16 * 1024 * 1024,
};

static struct {
  uint8_t* base;
  uint8_t* next;
  uint8_t* end;
  int open;
} flash;

static size_t aligned(size_t bytes) { return (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1); }

int flash_open(void) {
  flash.base = flash.next = os_reserve(FLASH_BYTES_MAX);
  flash.end = flash.base + FLASH_BYTES_MAX;
  flash.open = flash.base != NULL;
  return flash.open;
}

size_t flash_seal(void (*on_write)(void)) {
  size_t bytes = (size_t)(flash.next - flash.base);
  flash.open = 0;
  os_protect(flash.base, bytes, on_write);
  return bytes;
}

static int in_flash(const void* block) {
  return (const uint8_t*)block >= flash.base && (const uint8_t*)block < flash.end;
}

/* Each block is preceded by its size, for realloc. */
static void* flash_take(size_t bytes) {
  size_t whole = ALIGNMENT + aligned(bytes);
  if ((size_t)(flash.end - flash.next) < whole) return NULL;
  uint8_t* block = flash.next + ALIGNMENT;
  *(size_t*)flash.next = bytes;
  flash.next += whole;
  return block;
}

void* host_malloc(size_t size) { return flash.open ? flash_take(size) : malloc(size); }

void* host_calloc(size_t count, size_t size) {
  return flash.open ? flash_take(count * size) : calloc(count, size); /* flash is zeroed and never reused */
}

void host_free(void* block) {
  if (!in_flash(block)) free(block);
}

void* host_realloc(void* block, size_t size) {
  if (!flash.open) return realloc(block, size);
  void* larger = flash_take(size);
  if (larger && block) {
    size_t former = *(size_t*)((uint8_t*)block - ALIGNMENT);
    memcpy(larger, block, former < size ? former : size);
  }
  return larger;
}

int arena_open(Arena* arena, size_t bytes) {
  arena->base = arena->low = os_reserve(aligned(bytes));
  arena->high = arena->end = arena->base + (bytes & ~(size_t)(ALIGNMENT - 1));
  return arena->base != NULL;
}

static void* arena_refuse(Arena* arena, txSize bytes) {
  arena->refused_bytes = (size_t)bytes;
  return NULL;
}

/*
 * The arena holds one block of chunks. When XS wants more it asks for a whole new block's worth; only what the free
 * tail of the block lacks is taken. XS recognises memory that continues its block (it begins at block->limit) and
 * adds the size asked for to the block's limit and to maximumChunksSize, so both are set back beforehand by the
 * difference.
 */
static void* arena_extend_chunks(txMachine* the, Arena* arena, txSize size) {
  txBlock* block = the->firstBlock;
  if (!block) {
    uint8_t* start = arena->low;
    if (arena->high - arena->low < size) return arena_refuse(arena, size);
    arena->low += size;
    return start;
  }
  txSize wanted = size - (txSize)sizeof(txBlock);
  txSize lacking = wanted - (txSize)(block->limit - block->current);
  if (lacking < 0) lacking = 0;
  if (arena->high - arena->low < lacking) return arena_refuse(arena, lacking);
  arena->low += lacking;
  block->limit = (txByte*)arena->low - size;
  the->maximumChunksSize -= size - lacking;
  return block->limit;
}

static void* arena_extend_slots(txMachine* the, Arena* arena, txSize bytes) {
  if (arena->high - arena->low < bytes && the->firstBlock) {
    /* Compact the chunks and take back their free tail. */
    fxCollect(the, XS_COMPACT_FLAG | XS_ORGANIC_FLAG);
    txBlock* block = the->firstBlock;
    the->maximumChunksSize -= (txSize)(block->limit - block->current);
    block->limit = block->current;
    arena->low = (uint8_t*)block->current;
  }
  if (arena->high - arena->low < bytes) return arena_refuse(arena, bytes);
  arena->high -= bytes;
  return arena->high;
}

void* fxAllocateChunks(txMachine* the, txSize size) {
  Arena* arena = the->context;
  return arena ? arena_extend_chunks(the, arena, size) : host_malloc((size_t)size);
}

void fxFreeChunks(txMachine* the, void* chunks) {
  if (!the->context) host_free(chunks);
}

txSlot* fxAllocateSlots(txMachine* the, txSize count) {
  Arena* arena = the->context;
  txSize bytes = count * (txSize)sizeof(txSlot);
  txSlot* slots = arena ? arena_extend_slots(the, arena, bytes) : host_malloc((size_t)bytes);
  if (!slots && !the->stackTop) fxAbort(the, XS_NOT_ENOUGH_MEMORY_EXIT); /* for the stack, which XS takes unchecked */
  return slots;
}

void fxFreeSlots(txMachine* the, void* slots) {
  if (!the->context) host_free(slots);
}
