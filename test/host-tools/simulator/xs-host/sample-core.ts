/**
 * A core of a firmware's size for measurements that should not move with the firmware: 70 classes with private
 * fields, methods, a frozen table each, about 90 KB of source.
 */
export const SAMPLE_CLASSES = 70;

export function sampleCore(classes: number = SAMPLE_CLASSES): string {
  return Array.from({ length: classes }, (_, index) => sampleClass(index)).join("\n");
}

/** The same code in a board's main module: nothing of it is preloaded, and all of it is kept. */
export function sampleMainWithCore(classes: number = SAMPLE_CLASSES): string {
  const names = Array.from({ length: classes }, (_, index) => `Device${index}`);
  return `${sampleCore(classes).replaceAll("export ", "")}
    const all = [${names.join(", ")}];
    host.turn = () => { host.collect(); return all.length; };`;
}

export function sampleMain(): string {
  return `import { Device3 } from "core";
    const device = new Device3(4, "x");
    host.turn = () => { device.step(host.now()); host.collect(); };`;
}

function sampleClass(index: number): string {
  const table = Array.from({ length: 16 }, (_, at) => (at * 7919 + index) % 65_536);
  return `
export const table${index} = Object.freeze([${table.join(", ")}]);
export class Device${index} {
  #state; #queue = []; #limit; #label; #count = 0;
  constructor(limit, label) {
    this.#limit = limit; this.#label = label;
    this.#state = { kind: "idle${index}", since: 0, retries: 0 };
  }
  get label() { return this.#label; }
  get pending() { return this.#queue.length; }
  push(item) {
    if (this.#queue.length >= this.#limit) throw new RangeError("Device${index}: queue of " + this.#limit + " is full");
    this.#queue.push(item);
    return this;
  }
  step(now) {
    const state = this.#state;
    switch (state.kind) {
      case "idle${index}":
        if (this.#queue.length) { state.kind = "busy"; state.since = now; }
        break;
      case "busy":
        if (now - state.since > table${index}[this.#count % 16]) {
          this.#queue.shift(); state.kind = "idle${index}"; state.retries = 0; this.#count++;
        } else state.retries++;
        break;
      default:
        throw new Error("Device${index}: unknown state " + state.kind);
    }
    return state.kind;
  }
  encode(out, at) {
    out[at++] = ${index} & 255; out[at++] = this.#count >> 8; out[at++] = this.#count & 255;
    for (const item of this.#queue) out[at++] = item & 255;
    return at;
  }
  static decode(bytes, at) {
    const device = new Device${index}(bytes[at] || 8, "decoded${index}");
    device.#count = bytes[at + 1] * 256 + bytes[at + 2];
    return device;
  }
}`;
}
