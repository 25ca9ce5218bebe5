/*
 * Tells what of a preloaded core stays changeable, and so costs each board an entry of the alias table and, once it
 * is written, RAM. The SDK's linker warns of the same ("not frozen", "no const"); here it needs no SDK.
 *
 * A finding is a line on stdout: what it is, a tab, and the path to it from core's exports.
 */
#include "host.h"

enum { PATH_BYTES = 512, DEPTH_MAX = 64 };

typedef struct {
  txMachine* the;
  char path[PATH_BYTES];
  int depth;
} Walk;

static void walk_instance(Walk* walk, txSlot* instance);

static void find(const Walk* walk, const char* what) { printf("%s\t%s\n", what, walk->path); }

static size_t enter(Walk* walk, const char* format, const char* name) {
  size_t length = strlen(walk->path);
  snprintf(walk->path + length, PATH_BYTES - length, format, name);
  return length;
}

static void leave(Walk* walk, size_t length) { walk->path[length] = 0; }

static void walk_value(Walk* walk, txSlot* slot) {
  if (slot->kind == XS_REFERENCE_KIND)
    walk_instance(walk, slot->value.reference);
  else if (slot->kind == XS_ACCESSOR_KIND) {
    if (slot->value.accessor.getter) walk_instance(walk, slot->value.accessor.getter);
    if (slot->value.accessor.setter) walk_instance(walk, slot->value.accessor.setter);
  }
}

static const char* name_of(Walk* walk, txID id) {
  txSlot* key = fxGetKey(walk->the, id);
  if (!key || (key->kind != XS_KEY_KIND && key->kind != XS_KEY_X_KIND)) return "[symbol]";
  return key->value.key.string;
}

static void walk_named(Walk* walk, txID id, const char* format, txSlot* slot) {
  size_t length = enter(walk, format, name_of(walk, id));
  walk_value(walk, slot);
  leave(walk, length);
}

static void walk_variable(Walk* walk, txID id, const char* format, txSlot* variable) {
  size_t length = enter(walk, format, name_of(walk, id));
  if (variable->ID != XS_NO_ID) {
    find(walk, "not const");
    variable->ID = XS_NO_ID; /* told once */
  }
  walk_value(walk, variable);
  leave(walk, length);
}

static void walk_environment(Walk* walk, txSlot* environment) {
  for (; environment && !(environment->flag & XS_LEVEL_FLAG); environment = environment->value.instance.prototype) {
    environment->flag |= XS_LEVEL_FLAG;
    for (txSlot* closure = environment->next; closure; closure = closure->next)
      if (closure->kind == XS_CLOSURE_KIND && closure->value.closure)
        walk_variable(walk, closure->ID, "() %s", closure->value.closure);
  }
}

static void walk_content(Walk* walk, txSlot* internal) {
  switch (internal->kind) {
    case XS_ARRAY_KIND: {
      txIndex length = fxGetIndexSize(walk->the, internal);
      for (txIndex i = 0; i < length; i++) {
        char index[16];
        snprintf(index, sizeof index, "%lu", (unsigned long)i);
        size_t before = enter(walk, "[%s]", index);
        walk_value(walk, internal->value.array.address + i);
        leave(walk, before);
      }
      break;
    }
    case XS_CODE_KIND:
    case XS_CODE_X_KIND:
      walk_environment(walk, internal->value.code.closures);
      break;
    case XS_PRIVATE_KIND:
      for (txSlot* field = internal->value.private.first; field; field = field->next)
        walk_named(walk, field->ID, ".%s", field);
      break;
    case XS_DATE_KIND:
      find(walk, "date"); /* a setter writes into flash */
      break;
    case XS_STACK_KIND:
      find(walk, "generator"); /* resuming it writes into flash */
      break;
    default:
      break;
  }
}

/* XS_LEVEL_FLAG: seen. The process ends after the walk, so nobody has to clear it. */
static void walk_instance(Walk* walk, txSlot* instance) {
  if ((instance->flag & XS_LEVEL_FLAG) || walk->depth == DEPTH_MAX) return;
  instance->flag |= XS_LEVEL_FLAG;
  walk->depth++;
  if (instance->ID != XS_NO_ID) find(walk, "not frozen");
  if (instance->value.instance.prototype) {
    size_t length = enter(walk, "%s", ".__proto__");
    walk_instance(walk, instance->value.instance.prototype);
    leave(walk, length);
  }
  for (txSlot* property = instance->next; property; property = property->next) {
    if (property->flag & XS_INTERNAL_FLAG)
      walk_content(walk, property);
    else
      walk_named(walk, property->ID, ".%s", property);
  }
  walk->depth--;
}

void check_core(txMachine* the) {
  Walk walk = {.the = the};
  for (txSlot* module = mxProgram.value.reference->next; module; module = module->next)
    for (txSlot* export = mxModuleExports(module)->value.reference->next; export; export = export->next)
      if (export->value.export.closure) walk_variable(&walk, export->ID, "%s", export->value.export.closure);
}
