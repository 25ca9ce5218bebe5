/** Stands in for the ESP-IDF functions of `mc/ffi` on lin: says what a chip would do, and ends the process to sleep. */
import type FFI from "mc/ffi";

export default class LinFFI implements FFI {
  esp_deep_sleep(microseconds: bigint): void {
    trace(`deep sleep: ${microseconds} us\n`);
    exit();
  }

  esp_ota_mark_app_valid_cancel_rollback(): number {
    trace("this firmware is valid\n");
    return 0;
  }
}

function exit(this: unknown): unknown {
  return native("covey_restart").call(this);
}
