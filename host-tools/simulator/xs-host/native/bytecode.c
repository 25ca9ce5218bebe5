/*
 * Modules as bytecode: source to file (compile), file to memory (load), and the last step that needs a machine (link).
 *
 * In the code a name is a 2-byte position in the module's own list of names. Linking replaces it by the machine's ID
 * for that name. Functions and strings stay where they are in the code and are used in place, as from flash: the
 * compiler's CODE and STRING instructions, which copy them into the heap, become their ARCHIVE forms.
 */
#include "host.h"

enum { PARSER_BUFFER_BYTES = 256 * 1024, PARSER_TABLE_MODULO = 1993 };

static const char MAGIC[8] = "CoveyXB1";

typedef struct {
  char magic[sizeof MAGIC];
  uint32_t symbols_bytes;
  uint32_t code_bytes;
} Header;

extern void fxRemapIDs(txMachine* the, txByte* code, txSize code_bytes, txID* ids);

typedef struct {
  const char* at;
} Source;

static int next_character(void* stream) {
  Source* source = stream;
  unsigned char c = (unsigned char)*source->at;
  if (!c) return C_EOF;
  source->at++;
  return c;
}

static char first_error[256];

static void keep_first_error(void* console, txString path, txInteger line, txString format, c_va_list arguments) {
  (void)console, (void)path;
  if (first_error[0]) return;
  int length = snprintf(first_error, sizeof first_error, "%d: ", (int)line);
  vsnprintf(first_error + length, sizeof first_error - (size_t)length, format, arguments);
}

static void ignore_warning(void* console, txString path, txInteger line, txString format, c_va_list arguments) {
  (void)console, (void)path, (void)line, (void)format, (void)arguments;
}

static txByte in_place(txByte instruction) {
  switch ((txU1)instruction) {
    case XS_CODE_CODE_1: return (txByte)XS_CODE_CODE_ARCHIVE_1;
    case XS_CODE_CODE_2: return (txByte)XS_CODE_CODE_ARCHIVE_2;
    case XS_CODE_CODE_4: return (txByte)XS_CODE_CODE_ARCHIVE_4;
    case XS_CODE_STRING_1: return (txByte)XS_CODE_STRING_ARCHIVE_1;
    case XS_CODE_STRING_2: return (txByte)XS_CODE_STRING_ARCHIVE_2;
    case XS_CODE_STRING_4: return (txByte)XS_CODE_STRING_ARCHIVE_4;
    default: return instruction;
  }
}

/* gxCodeSizes: the instruction's length, or 0 when a name follows, or minus the width of a length that follows. */
static void use_in_place(txByte* code, txSize code_bytes) {
  txByte* end = code + code_bytes;
  while (code < end) {
    *code = in_place(*code);
    txS1 size = gxCodeSizes[(txU1)*code];
    if (size > 0) {
      code += size;
    } else if (size == 0) {
      code += 1 + sizeof(txID);
    } else {
      uint32_t length = 0;
      memcpy(&length, code + 1, (size_t)-size); /* little endian, as the compiler's encoding is */
      code += 1 - size + length;
    }
  }
}

static txScript* parse(const char* source) {
  static txMachine console; /* the compiler counts in it, and reports only to a parser that has one */
  txParser parser;
  txParserJump jump;
  txScript* volatile script = NULL;
  Source stream = {source};
  fxInitializeParser(&parser, &console, PARSER_BUFFER_BYTES, PARSER_TABLE_MODULO);
  parser.reportError = keep_first_error;
  parser.reportWarning = ignore_warning;
  parser.firstJump = &jump;
  if (c_setjmp(jump.jmp_buf) == 0) {
    fxParserTree(&parser, &stream, next_character, 0, NULL);
    fxParserHoist(&parser);
    fxParserBind(&parser);
    script = fxParserCode(&parser);
  }
  int failed = parser.errorCount > 0;
  fxTerminateParser(&parser);
  return failed ? NULL : script;
}

int bytecode_compile(const char* name, const char* source_path, const char* output_path) {
  size_t source_bytes;
  char* source = os_load_file(source_path, &source_bytes);
  if (!source) {
    os_say("cannot read %s", source_path);
    return STOP_FAILURE;
  }
  if (memchr(source, 0, source_bytes)) {
    os_say("%s: holds a zero byte, so it is no source", name);
    return STOP_FAILURE;
  }
  txScript* script = parse(source);
  if (!script) {
    os_say("%s:%s", name, first_error[0] ? first_error : "0: out of memory");
    return STOP_FAILURE;
  }
  use_in_place((txByte*)script->codeBuffer, script->codeSize);

  Header header = {.symbols_bytes = (uint32_t)script->symbolsSize, .code_bytes = (uint32_t)script->codeSize};
  memcpy(header.magic, MAGIC, sizeof MAGIC);
  size_t bytes = sizeof header + header.symbols_bytes + header.code_bytes;
  char* output = malloc(bytes);
  int saved = 0;
  if (output) {
    memcpy(output, &header, sizeof header);
    memcpy(output + sizeof header, script->symbolsBuffer, header.symbols_bytes);
    memcpy(output + sizeof header + header.symbols_bytes, script->codeBuffer, header.code_bytes);
    saved = os_save_file(output_path, output, bytes);
  }
  if (!saved) os_say("cannot write %s", output_path);
  return saved ? STOP_END_OF_INPUT : STOP_FAILURE;
}

int bytecode_load(const char* name, const char* path, Module* module) {
  size_t bytes;
  char* file = os_load_file(path, &bytes);
  Header* header = (Header*)file;
  if (!file) {
    os_say("cannot read %s", path);
    return 0;
  }
  if (bytes < sizeof *header || memcmp(header->magic, MAGIC, sizeof MAGIC) != 0 ||
      bytes != sizeof *header + (size_t)header->symbols_bytes + header->code_bytes) {
    os_say("%s is not bytecode that this host wrote: compile it again", path);
    return 0;
  }
  /* Copied, so that it lies in flash. */
  module->name = name;
  module->symbols_bytes = (txSize)header->symbols_bytes;
  module->code_bytes = (txSize)header->code_bytes;
  module->symbols = host_malloc(header->symbols_bytes);
  module->code = host_malloc(header->code_bytes);
  if (!module->symbols || !module->code) return 0;
  memcpy(module->symbols, file + sizeof *header, header->symbols_bytes);
  memcpy(module->code, file + sizeof *header + header->symbols_bytes, header->code_bytes);
  free(file);
  return 1;
}

void bytecode_link(txMachine* the, Module* module) {
  txByte* p = module->symbols;
  txID count;
  mxDecodeID(p, count);
  txID* ids = malloc((size_t)count * sizeof(txID));
  ids[0] = XS_NO_ID;
  for (txID i = 1; i < count; i++) {
    ids[i] = fxNewNameC(the, (txString)p);
    p += strlen((char*)p) + 1;
  }
  fxRemapIDs(the, module->code, module->code_bytes, ids);
  free(ids);
}
