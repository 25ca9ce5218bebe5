/*
 * The host on bare-metal rv32imac, the instruction set of an ESP32-C3, as QEMU's `virt` machine runs it: no operating
 * system, one hart in machine mode, no interrupts. Files, frames and exit codes go through semihosting, so a wait for the
 * parent is one instruction of the board, and instructions are counted exactly.
 */
#include "os.h"

#include <semihost.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocol.h"

enum {
  PAGE_BYTES = 4096,
  /* Left below the engine's limit for library calls and for reporting the overflow. */
  STACK_MARGIN_BYTES = 16 * 1024,
  TRAP_STACK_BYTES = 8 * 1024,
  STORE_ACCESS_FAULT = 7, /* mcause; the privileged specification 1.12, table 3.6 */
  /* pmpcfg, section 3.7.1: locked, so that machine mode obeys it; top of range; read and execute. */
  PMP_READ_ONLY = 0x80 | 0x08 | 0x04 | 0x01,
};

/* Control and status registers are an extension of their own since 2019; each chip has it. */
__asm__(".option arch, +zicsr");

#define read_csr(name) \
  ({ \
    uint32_t value; \
    __asm__ volatile("csrr %0, " #name : "=r"(value)); \
    value; \
  })
#define write_csr(name, value) __asm__ volatile("csrw " #name ", %0" ::"r"(value) : "memory")

/* From the linker script. */
extern char __stack[], __heap_end[];

static int frames_in = -1;
static int frames_out = -1;
static int errors = -1;

void* os_reserve(size_t bytes) {
  size_t whole = (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
  void* base = aligned_alloc(PAGE_BYTES, whole);
  return base ? memset(base, 0, whole) : NULL;
}

/* ---- protection ---- */

static struct {
  uint32_t base;
  uint32_t end;
  void (*on_write)(void);
} guarded;

static char trap_stack[TRAP_STACK_BYTES] __attribute__((aligned(16)));

static void __attribute__((noreturn, used)) on_trap(void) {
  uint32_t cause = read_csr(mcause), address = read_csr(mtval);
  if (cause == STORE_ACCESS_FAULT && address >= guarded.base && address < guarded.end) guarded.on_write();
  os_say("the engine trapped: cause %u at %08x, address %08x", (unsigned)cause, (unsigned)read_csr(mepc),
         (unsigned)address);
  os_exit(STOP_ENGINE);
}

/* Nothing returns from a trap, so nothing is saved. */
static void __attribute__((naked, aligned(4))) enter_trap(void) {
  __asm__ volatile("la sp, %0\n j on_trap" ::"i"(trap_stack + TRAP_STACK_BYTES));
}

/* By physical memory protection, as a chip's own flash is: the range from pmpaddr0 to pmpaddr1 can't be written. */
void os_protect(void* base, size_t bytes, void (*on_write)(void)) {
  guarded.base = (uint32_t)base;
  guarded.end = guarded.base + (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
  guarded.on_write = on_write;
  write_csr(mtvec, (uint32_t)enter_trap);
  write_csr(pmpaddr0, guarded.base >> 2);
  write_csr(pmpaddr1, guarded.end >> 2);
  write_csr(pmpcfg0, PMP_READ_ONLY << 8);
}

char* os_stack_limit(void) { return __heap_end + STACK_MARGIN_BYTES; }

uint64_t os_instructions(void) {
  for (;;) {
    uint32_t high = read_csr(minstreth), low = read_csr(minstret);
    if (read_csr(minstreth) == high) return (uint64_t)high << 32 | low;
  }
}

/* ---- frames ---- */

/* The file ":tt" is stdin, stdout or stderr, by the mode that it is opened with. */
void os_open_channel(void) {
  frames_in = sys_semihost_open(":tt", SH_OPEN_R_B);
  frames_out = sys_semihost_open(":tt", SH_OPEN_W_B);
}

int os_read(void* buffer, size_t bytes) {
  char* to = buffer;
  size_t lacking = bytes;
  while (lacking > 0) {
    size_t still = sys_semihost_read(frames_in, to, lacking);
    if (still >= lacking) return lacking == bytes ? 0 : -1;
    to += lacking - still;
    lacking = still;
  }
  return 1;
}

static int write_whole(int file, const void* buffer, size_t bytes) {
  const char* from = buffer;
  while (bytes > 0) {
    size_t still = sys_semihost_write(file, from, bytes);
    if (still >= bytes) return 0;
    from += bytes - still;
    bytes = still;
  }
  return 1;
}

int os_write(const void* buffer, size_t bytes) { return write_whole(frames_out, buffer, bytes); }

/* ---- files ---- */

char* os_load_file(const char* path, size_t* bytes) {
  int file = sys_semihost_open(path, SH_OPEN_R_B);
  if (file < 0) return NULL;
  size_t size = sys_semihost_flen(file);
  char* data = malloc(size + 1);
  if (data && sys_semihost_read(file, data, size) == 0) {
    data[size] = 0;
    *bytes = size;
  } else {
    free(data);
    data = NULL;
  }
  sys_semihost_close(file);
  return data;
}

int os_save_file(const char* path, const void* data, size_t bytes) {
  int file = sys_semihost_open(path, SH_OPEN_W_B);
  if (file < 0) return 0;
  int written = write_whole(file, data, bytes);
  return sys_semihost_close(file) == 0 && written;
}

void os_tell(const char* text, size_t bytes) {
  if (errors < 0) errors = sys_semihost_open(":tt", SH_OPEN_A_B);
  write_whole(errors, text, bytes);
}

void os_exit(int code) {
  sys_semihost_exit_extended((uintptr_t)code);
}
