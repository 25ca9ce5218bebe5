/** Whether two arrays hold the same. For what is no secret: it stops at the first difference; see `Ciphers.isEqual` for codes and keys. */
export function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
