/*
 * Preloading: what the SDK's linker does when a manifest preloads a module, done in memory at start.
 *
 * On a linked board the intrinsics and every preloaded module lie in flash, their top levels already run. The linker
 * decides what a board may still do with them, and this file decides the same:
 *
 *  1. It freezes what cannot be aliased: functions, prototypes, environments, collections, buffers, promises,
 *     proxies. A write to one of these throws.
 *  2. Every other instance, and every variable that is not const, gets a number in the alias table. The first write
 *     to it makes a copy in RAM, found through the table from then on. Each entry costs a board 4 bytes.
 *  3. Strings, big integers, code and names become of a kind that the collector leaves alone.
 *
 * What slips through (an internal write that neither throws nor aliases) meets memory that is read-only, here as
 * there. XS's own fxShareMachine does less: it freezes nothing, and its alias numbers begin at 0, which means none.
 */
#include "host.h"

enum {
  LINK_CHUNK_BYTES = 256 * 1024,
  LINK_SLOTS = 16 * 1024,
  LINK_SLOTS_STEP = 4 * 1024,
  LINK_STACK_SLOTS = 4 * 1024,
  LINK_KEYS = 8 * 1024,
  /* The SDK's default hash tables; a board copies both. */
  NAME_MODULO = 127,
  SYMBOL_MODULO = 127,
};

txSlot* preload_natives;

typedef void (*SlotVisitor)(txMachine* the, txSlot* slot);

static void visit_heap(txMachine* the, SlotVisitor visit) {
  for (txSlot* heap = the->firstHeap; heap; heap = heap->next)
    for (txSlot* slot = heap + 1; slot < heap->value.reference; slot++) visit(the, slot);
}

static int is_internal(const txSlot* slot) { return slot && (slot->flag & XS_INTERNAL_FLAG); }

static void freeze_slot(txSlot* slot) {
  if (slot->kind != XS_ACCESSOR_KIND) slot->flag |= XS_DONT_SET_FLAG;
  slot->flag |= XS_DONT_DELETE_FLAG;
}

static int is_frozen_slot(const txSlot* slot) {
  return (slot->flag & XS_DONT_DELETE_FLAG) && (slot->kind == XS_ACCESSOR_KIND || (slot->flag & XS_DONT_SET_FLAG));
}

static void freeze_instance(txSlot* instance) {
  for (txSlot* property = instance->next; property; property = property->next) freeze_slot(property);
  instance->flag |= XS_DONT_PATCH_FLAG;
}

static void freeze_prototype_of(txSlot* constructor) {
  for (txSlot* property = constructor->next; property; property = property->next)
    if (property->ID == mxID(_prototype) && property->kind == XS_REFERENCE_KIND) {
      freeze_instance(property->value.reference);
      return;
    }
}

/* Instances are told apart by their first internal slot. */
static void freeze_if_not_aliasable(txMachine* the, txSlot* instance) {
  (void)the;
  if (instance->kind != XS_INSTANCE_KIND || !is_internal(instance->next)) return;
  txSlot* first = instance->next;
  if (first->ID == XS_ENVIRONMENT_BEHAVIOR) {
    freeze_instance(instance);
    return;
  }
  switch (first->kind) {
    case XS_CALLBACK_KIND:
    case XS_CALLBACK_X_KIND:
    case XS_CODE_KIND:
    case XS_CODE_X_KIND:
      freeze_instance(instance);
      if (instance->flag & XS_CAN_CONSTRUCT_FLAG) freeze_prototype_of(instance);
      break;
    case XS_PROMISE_KIND:
      freeze_instance(instance);
      freeze_instance(first->next->value.reference); /* its reactions */
      break;
    case XS_CLOSURE_KIND:
      if (first->value.closure->kind == XS_FINALIZATION_REGISTRY_KIND) freeze_instance(instance);
      break;
    case XS_ARRAY_BUFFER_KIND:
    case XS_DATA_VIEW_KIND:
    case XS_MAP_KIND:
    case XS_PROXY_KIND:
    case XS_REGEXP_KIND:
    case XS_SET_KIND:
    case XS_TYPED_ARRAY_KIND:
    case XS_WEAK_MAP_KIND:
    case XS_WEAK_REF_KIND:
    case XS_WEAK_SET_KIND:
      freeze_instance(instance);
      break;
    default:
      break;
  }
}

/* The built-in objects that no constructor leads to: iterator prototypes, Math, JSON, Reflect, Atomics. */
static void freeze_intrinsics(txMachine* the) {
  for (txSlot* slot = the->stackTop - 1 - mxInstanceInspectorsStackIndex; --slot >= the->stackTop - mxStackIndexCount;)
    if (slot->kind == XS_REFERENCE_KIND) freeze_instance(slot->value.reference);
  mxPush(mxArrayPrototype);
  mxGetID(mxID(_Symbol_unscopables));
  freeze_instance(the->stack->value.reference);
  mxPop();
}

static int is_frozen(txMachine* the, const txSlot* instance) {
  if (!(instance->flag & XS_DONT_PATCH_FLAG)) return 0;
  for (txSlot* property = instance->next; property; property = property->next) {
    if (property->kind == XS_ARRAY_KIND) {
      txIndex length = fxGetIndexSize(the, property);
      for (txIndex i = 0; i < length; i++)
        if (!is_frozen_slot(property->value.array.address + i)) return 0;
    } else if (!is_internal(property) && !is_frozen_slot(property))
      return 0;
  }
  return 1;
}

/* What a frozen instance holds behind its properties is frozen with it. */
static void freeze_content(txSlot* instance) {
  for (txSlot* property = instance->next; is_internal(property); property = property->next) switch (property->kind) {
      case XS_ARRAY_BUFFER_KIND:
      case XS_DATE_KIND:
      case XS_MAP_KIND:
      case XS_REGEXP_KIND:
      case XS_SET_KIND:
      case XS_WEAK_MAP_KIND:
      case XS_WEAK_SET_KIND:
        property->flag |= XS_DONT_SET_FLAG;
        break;
      case XS_PRIVATE_KIND:
        for (txSlot* field = property->value.private.first; field; field = field->next) freeze_slot(field);
        break;
      default:
        break;
    }
}

static txID alias_count;

static void number_instance(txMachine* the, txSlot* slot) {
  if (slot->kind != XS_INSTANCE_KIND) return;
  if (is_frozen(the, slot)) {
    slot->ID = XS_NO_ID;
    freeze_content(slot);
  } else
    slot->ID = alias_count++;
}

static int holds_function(txMachine* the, const txSlot* variable) {
  (void)the;
  return variable->kind == XS_REFERENCE_KIND && mxIsFunction(variable->value.reference);
}

/* XS's share has numbered variables too; those numbers are replaced here, so each must be met once. */
static void forget_variable_number(txMachine* the, txSlot* slot) {
  (void)the;
  if (slot->kind == XS_CLOSURE_KIND && slot->value.closure) slot->value.closure->ID = XS_NO_ID;
}

static void number_variable(txMachine* the, txSlot* slot) {
  if (slot->kind != XS_CLOSURE_KIND || !slot->value.closure) return;
  txSlot* variable = slot->value.closure;
  if (holds_function(the, variable)) variable->flag |= XS_DONT_SET_FLAG;
  if (variable->flag & XS_DONT_SET_FLAG)
    variable->flag |= XS_DONT_DELETE_FLAG;
  else {
    if (variable->ID == XS_NO_ID) variable->ID = alias_count++;
    slot->flag &= ~XS_DONT_SET_FLAG;
  }
}

static void number_aliases(txMachine* the) {
  alias_count = 1; /* 0 is XS_NO_ID */
  visit_heap(the, number_instance);
  visit_heap(the, forget_variable_number);
  visit_heap(the, number_variable);
  the->aliasCount = alias_count;
}

/* To the kinds whose data the collector neither marks nor moves. */
static void settle(txMachine* the, txSlot* slot) {
  switch (slot->kind) {
    case XS_STRING_KIND:
      slot->kind = XS_STRING_X_KIND;
      break;
    case XS_BIGINT_KIND:
      slot->kind = XS_BIGINT_X_KIND;
      break;
    case XS_CODE_KIND:
      slot->kind = XS_CODE_X_KIND;
      break;
    case XS_KEY_KIND:
      slot->kind = XS_KEY_X_KIND;
      break;
    case XS_REGEXP_KIND:
      slot->value.regexp.data = C_NULL; /* where a match is written; without it XS takes a temporary */
      break;
    case XS_ARRAY_KIND: {
      txIndex length = fxGetIndexSize(the, slot);
      for (txIndex i = 0; i < length; i++) settle(the, slot->value.array.address + i);
      break;
    }
    default:
      break;
  }
}

/*
 * XS finds globals through a cache of the global object, filled as they are asked for. The linker's machine has none;
 * ours is filled now, because it cannot be later.
 */
static void fill_global_cache(txMachine* the) {
  txSlot* global = mxGlobal.value.reference;
  for (txID id = XS_SYMBOL_ID_COUNT; id < XS_INTRINSICS_COUNT; id++)
    mxBehaviorGetProperty(the, global, id, 0, XS_ANY);
}

static void make_natives(txMachine* the) {
  static txSlot root; /* holds them for the collector until the board's host object does */
  mxPush(mxObjectPrototype);
  txSlot* natives = fxNewObjectInstance(the);
  txSlot* property = natives;
  for (int i = 0; i < board_natives_count; i++) {
    const Native* native = &board_natives[i];
    property = fxNextHostFunctionProperty(the, property, native->function, native->length,
                                          fxNewNameC(the, (txString)native->name), XS_DONT_ENUM_FLAG);
  }
  freeze_instance(natives);
  preload_natives = natives;
  mxPullSlot(&root);
  fxRemember(the, &root);
}

txMachine* preload_link(Module* core, Module* main) {
  txCreation creation = {
      .initialChunkSize = LINK_CHUNK_BYTES,
      .incrementalChunkSize = LINK_CHUNK_BYTES,
      .initialHeapCount = LINK_SLOTS,
      .incrementalHeapCount = LINK_SLOTS_STEP,
      .stackCount = LINK_STACK_SLOTS,
      .initialKeyCount = LINK_KEYS,
      .incrementalKeyCount = LINK_KEYS,
      .nameModulo = NAME_MODULO,
      .symbolModulo = SYMBOL_MODULO,
  };
  txMachine* the = fxCreateMachine(&creation, "link", NULL, XS_NO_ID);
  if (!the) {
    os_say("memory full while the engine starts");
    os_exit(STOP_MEMORY_FULL);
  }
  Module* const modules[] = {core};
  engine_offer_modules(modules, 1);

  fxBeginHost(the);
  mxTry(the) {
    bytecode_link(the, core);
    if (main) bytecode_link(the, main);
    make_natives(the);
    mxPushStringC("core");
    fxAwaitImport(the, XS_IMPORT_NAMESPACE);
    engine_run_promise_jobs(the);
    fxCollectGarbage(the);
    freeze_intrinsics(the);
    visit_heap(the, freeze_if_not_aliasable);
    fill_global_cache(the);
  }
  mxCatch(the) { engine_exit_uncaught(the, "uncaught exception while preloading core"); }
  fxEndHost(the);

  fxShareMachine(the);
  number_aliases(the);
  visit_heap(the, settle);
  for (txSlot* slot = the->stack; slot < the->stackTop; slot++) settle(the, slot);
  return the;
}
