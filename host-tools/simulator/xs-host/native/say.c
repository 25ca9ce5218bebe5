/* What went wrong, in a line for whoever started the board. */
#include <stdarg.h>
#include <stdio.h>

#include "os.h"

void os_say(const char* format, ...) {
  char line[1024];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line - 1, format, arguments);
  va_end(arguments);
  if (length < 0) return;
  if (length > (int)sizeof line - 2) length = sizeof line - 2;
  line[length] = '\n';
  os_tell(line, (size_t)length + 1);
}
