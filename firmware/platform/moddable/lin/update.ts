/** Stands in for `embedded:update` on lin: takes an image and says how long it is. */
import type { Update } from "embedded:update";

class LinUpdate implements Update {
  #byteLength = 0;

  write(bytes: Uint8Array): void {
    this.#byteLength += bytes.length;
  }

  complete(): void {
    trace(`update: ${this.#byteLength} bytes\n`);
  }

  close(): void {}
}

export default Object.freeze({
  open(): LinUpdate {
    return new LinUpdate();
  },
});
