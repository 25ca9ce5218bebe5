/* What XS asks of its platform, and how its failures are told: one line on stderr and an exit code of protocol.h. */
#include "host.h"

enum { MODULES_MAX = 2, DESCRIPTION_BYTES = 900, FRAMES_TOLD_MAX = 5 };

static Module* offered[MODULES_MAX];
static int offered_count;

void engine_offer_modules(Module* const modules[], int count) {
  for (int i = 0; i < count; i++) offered[i] = modules[i];
  offered_count = count;
}

static Module* find_module(const char* name) {
  for (int i = 0; i < offered_count; i++)
    if (strcmp(offered[i]->name, name) == 0) return offered[i];
  return NULL;
}

txID fxFindModule(txMachine* the, txSlot* realm, txID importer, txSlot* specifier) {
  (void)realm, (void)importer;
  char name[64];
  fxToStringBuffer(the, specifier, name, sizeof name);
  return find_module(name) ? fxNewNameC(the, name) : XS_NO_ID;
}

void fxLoadModule(txMachine* the, txSlot* slot, txID id) {
  Module* module = find_module(fxGetKeyName(the, id));
  if (!module) return;
  /* Without symbols XS takes the code as linked, and does not free it. */
  txScript script = {.codeBuffer = module->code,
                     .codeSize = module->code_bytes,
                     .path = (txString)module->name,
                     .version = {XS_MAJOR_VERSION, XS_MINOR_VERSION, XS_PATCH_VERSION, 0}};
  fxResolveModule(the, slot, id, &script, C_NULL, C_NULL);
}

/* eval, new Function and their kin: a chip carries no parser. */
txScript* fxParseScript(txMachine* the, void* stream, txGetter getter, txUnsigned flags) {
  (void)stream, (void)getter, (void)flags;
  mxTypeError("a board has no parser: source cannot be evaluated");
  return NULL;
}

void fxCreateMachinePlatform(txMachine* the) { the->promiseJobsQueued = 0; }

void fxDeleteMachinePlatform(txMachine* the) { (void)the; }

char* fxCStackLimit(void) { return os_stack_limit(); }

void fxQueuePromiseJobs(txMachine* the) { the->promiseJobsQueued = 1; }

/*
 * A rejection that nobody has handled by the end of the jobs is an error now. A chip notices it when the promise is
 * collected, some time later: the same end, at a time that nobody can reproduce.
 */
void engine_run_promise_jobs(txMachine* the) {
  while (the->promiseJobsQueued) {
    the->promiseJobsQueued = 0;
    fxRunPromiseJobs(the);
  }
  fxEndJob(the);
  fxCheckUnhandledRejections(the, 1);
}

static void __attribute__((format(printf, 3, 4))) append(char* text, size_t bytes, const char* format, ...) {
  size_t used = strlen(text);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text + used, bytes - used, format, arguments);
  va_end(arguments);
}

/* Reads only, and only what the collector keeps valid: it is called while a signal is handled. */
void engine_describe_frames(txMachine* the, char* text, size_t bytes) {
  int named = 0;
  text[0] = 0;
  for (txSlot* frame = the->frame; frame && frame->next && named < FRAMES_TOLD_MAX; frame = frame->next) {
    txSlot* function = frame + 3; /* as mxFunction has it */
    if (function->kind != XS_REFERENCE_KIND) continue;
    for (txSlot* property = function->value.reference->next; property; property = property->next) {
      if (property->ID != mxID(_name) || (property->flag & XS_INTERNAL_FLAG)) continue;
      if (property->kind != XS_STRING_KIND && property->kind != XS_STRING_X_KIND) break;
      if (property->value.string[0] == 0) break;
      append(text, bytes, named == 0 ? " in %s" : named == 1 ? ", called by %s" : ", by %s", property->value.string);
      named++;
      break;
    }
  }
}

/* The exception as text: its `stack`, which XS begins with the name and the message, or else the value itself. */
static void describe_exception(txMachine* the, char* text) {
  text[0] = 0;
  mxTry(the) {
    mxPush(mxException);
    if (mxIsReference(the->stack)) {
      mxDub();
      mxGetID(mxID(_stack));
      if (mxIsUndefined(the->stack)) mxPop();
    }
    append(text, DESCRIPTION_BYTES, "%s", fxToString(the, the->stack));
  }
  mxCatch(the) { append(text, DESCRIPTION_BYTES, "an exception that cannot be told"); }
}

void engine_exit_uncaught(txMachine* the, const char* where) {
  char text[DESCRIPTION_BYTES];
  describe_exception(the, text);
  os_say("%s: %s", where, text);
  os_exit(STOP_UNCAUGHT);
}

static void __attribute__((noreturn)) exit_memory_full(txMachine* the) {
  Arena* arena = the->context;
  if (!arena) {
    os_say("memory full while preloading: core needs more than the host reserves");
    os_exit(STOP_MEMORY_FULL);
  }
  long total = (long)(arena->end - arena->base);
  long chunks = (long)(arena->low - arena->base);
  long stack = (long)((char*)the->stackTop - (char*)the->stackBottom);
  long slots = (long)(arena->end - arena->high) - stack;
  os_say("memory full: %ld bytes more were asked of an arena of %ld that has %ld left (chunks %ld, slots %ld, stack %ld)",
         (long)arena->refused_bytes, total, (long)(arena->high - arena->low), chunks, slots, stack);
  os_exit(STOP_MEMORY_FULL);
}

void fxAbort(txMachine* the, int status) {
  char where[256];
  switch (status) {
    case XS_NOT_ENOUGH_MEMORY_EXIT:
      exit_memory_full(the);
    case XS_STACK_OVERFLOW_EXIT:
      engine_describe_frames(the, where, sizeof where);
      os_say("stack overflow: the JavaScript stack of %ld slots (or the native one) is exhausted%s",
             (long)(the->stackTop - the->stackBottom), where);
      os_exit(STOP_STACK_OVERFLOW);
    case XS_NO_MORE_KEYS_EXIT:
      os_say("names full: more than %d property names were made while running", (int)(the->keyCount - the->keyOffset));
      os_exit(STOP_NAMES_FULL);
    case XS_UNHANDLED_EXCEPTION_EXIT:
      engine_exit_uncaught(the, "uncaught exception in a promise job");
    case XS_UNHANDLED_REJECTION_EXIT:
      engine_exit_uncaught(the, "unhandled promise rejection");
    case XS_TOO_MUCH_COMPUTATION_EXIT:
      engine_describe_frames(the, where, sizeof where);
      os_say("endless turn: %lu instructions, and no end%s", (unsigned long)the->meterIndex, where);
      os_exit(STOP_ENDLESS_TURN);
    default:
      os_say("the engine gave up (XS status %d)", status);
      os_exit(STOP_ENGINE);
  }
}
