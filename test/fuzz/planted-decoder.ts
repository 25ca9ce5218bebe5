/** A decoder with a fault behind four bytes, which no blind search comes upon: for the fuzzer's own test. */
export function decode(bytes: Uint8Array): number {
  if (bytes[0] === 0x43) {
    if (bytes[1] === 0x6f) {
      if (bytes[2] === 0x76) {
        if (bytes[3] === 0x65) throw new TypeError("planted");
        return 3;
      }
      return 2;
    }
    return 1;
  }
  return 0;
}
