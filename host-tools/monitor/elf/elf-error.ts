/** The file is no ELF file of a chip's firmware, or damaged. */
export class ElfError extends Error {
  override readonly name = "ElfError";
}
