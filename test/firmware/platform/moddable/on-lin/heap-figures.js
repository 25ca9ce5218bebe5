// The functions of heap-figures.c, and what they give as a line: `heap NAME: {...}`.

/** Bytes of a slot; of chunks: in use, peak, claimed; of slots, counted: in use, peak, claimed. */
const figures = 7;

export class HeapFigures {
  #numbers = new Uint32Array(figures);
  #into = new Uint8Array(this.#numbers.buffer);

  /** What was held and what was the peak since the last time; `collect`: what is held without garbage, after it. */
  tell(name, collect, more = {}) {
    read(this.#into, collect);
    const [slotBytes, chunkBytes, chunkPeakBytes, chunkClaimedBytes, slots, slotsPeak, slotsClaimed] =
      this.#numbers;
    const told = {
      slotBytes,
      chunkBytes,
      chunkPeakBytes,
      chunkClaimedBytes,
      slots,
      slotsPeak,
      slotsClaimed,
      ...more,
    };
    trace(`heap ${name}: ${JSON.stringify(told)}\n`);
    // Telling is not part of what is measured.
    read(this.#into, true);
  }
}

export function collectAlways(on) {
  return native("covey_collect_always").call(this, on);
}

function read(into, collect) {
  return native("covey_heap_figures").call(this, into, collect);
}
