/** The offset after the last byte that is not erased. Looks at four bytes at a time where the memory allows it. */
export function writtenEnd(bytes: Uint8Array): number {
  let end = bytes.length;
  if (bytes.byteOffset % 4 === 0 && end % 4 === 0) {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, end / 4);
    let word = words.length;
    while (word > 0 && words[word - 1] === 0xffff_ffff) word--;
    end = word * 4;
  }
  while (end > 0 && bytes[end - 1] === 0xff) end--;
  return end;
}

export function isErased(bytes: Uint8Array): boolean {
  return writtenEnd(bytes) === 0;
}
