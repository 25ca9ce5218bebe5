#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

enum {
  SIGNAL_STACK_BYTES = 64 * 1024,
  /* Left below the engine's limit for library calls and for reporting the overflow. */
  STACK_MARGIN_BYTES = 256 * 1024,
  DEFAULT_STACK_BYTES = 8 * 1024 * 1024,
};

static struct {
  char* base;
  char* end;
  void (*on_write)(void);
} guarded;

static int frames_in = -1;
static int frames_out = -1;

void* os_reserve(size_t bytes) {
  void* base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return base == MAP_FAILED ? NULL : base;
}

static void on_fault(int signal_number, siginfo_t* info, void* context) {
  (void)context;
  char* address = info->si_addr;
  if (address >= guarded.base && address < guarded.end) guarded.on_write();
  /* Anything else is a fault of the host: die by the same signal, as if nobody had listened. */
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

void os_protect(void* base, size_t bytes, void (*on_write)(void)) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t whole = (bytes + page - 1) / page * page;
  guarded.base = base;
  guarded.end = guarded.base + whole;
  guarded.on_write = on_write;

  static char signal_stack[SIGNAL_STACK_BYTES];
  stack_t stack = {.ss_sp = signal_stack, .ss_size = sizeof signal_stack};
  sigaltstack(&stack, NULL);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL); /* what macOS raises for a write to a read-only page */

  if (mprotect(base, whole, PROT_READ) != 0) {
    os_say("the system refused to protect the preloaded memory: %s", strerror(errno));
    os_exit(1);
  }
}

char* os_stack_limit(void) {
  char here;
  struct rlimit limit;
  size_t bytes = DEFAULT_STACK_BYTES;
  if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < bytes)
    bytes = limit.rlim_cur;
  uintptr_t top = (uintptr_t)&here;
  return (char*)(bytes > 2 * STACK_MARGIN_BYTES ? top - bytes + STACK_MARGIN_BYTES : top - bytes / 2);
}

uint64_t os_instructions(void) { return 0; }

void os_open_channel(void) {
  frames_in = STDIN_FILENO;
  frames_out = dup(STDOUT_FILENO);
  dup2(STDERR_FILENO, STDOUT_FILENO);
  fcntl(frames_out, F_SETFD, FD_CLOEXEC);
  signal(SIGPIPE, SIG_IGN);
}

int os_read(void* buffer, size_t bytes) {
  char* to = buffer;
  size_t got = 0;
  while (got < bytes) {
    ssize_t count = read(frames_in, to + got, bytes - got);
    if (count > 0)
      got += (size_t)count;
    else if (count == 0)
      return got == 0 ? 0 : -1;
    else if (errno != EINTR)
      return -1;
  }
  return 1;
}

int os_write(const void* buffer, size_t bytes) {
  const char* from = buffer;
  while (bytes > 0) {
    ssize_t count = write(frames_out, from, bytes);
    if (count >= 0) {
      from += count;
      bytes -= (size_t)count;
    } else if (errno != EINTR)
      return 0;
  }
  return 1;
}

char* os_load_file(const char* path, size_t* bytes) {
  FILE* file = fopen(path, "rb");
  if (!file) return NULL;
  char* data = NULL;
  long size = -1;
  if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0 && fseek(file, 0, SEEK_SET) == 0) {
    data = malloc((size_t)size + 1);
    if (data && fread(data, 1, (size_t)size, file) == (size_t)size) {
      data[size] = 0;
      *bytes = (size_t)size;
    } else {
      free(data);
      data = NULL;
    }
  }
  fclose(file);
  return data;
}

int os_save_file(const char* path, const void* data, size_t bytes) {
  FILE* file = fopen(path, "wb");
  if (!file) return 0;
  int written = fwrite(data, 1, bytes, file) == bytes;
  int closed = fclose(file) == 0;
  return written && closed;
}

void os_tell(const char* text, size_t bytes) {
  if (write(STDERR_FILENO, text, bytes) < 0) return; /* nobody listens */
}

void os_exit(int code) { _exit(code); }
