/** Bytes that are not what they should be: what was read, where in it, and what is wrong there. */
export class ImageError extends Error {
  override readonly name = "ImageError";
  /** `partition table`, `app image`... */
  readonly what: string;
  /** In bytes from the beginning of what was read. */
  readonly at: number;
  /** Without subject and place, such as `its checksum is wrong`. */
  readonly problem: string;

  constructor(what: string, at: number, problem: string) {
    super(`This is no sound ${what}: ${problem} (at 0x${at.toString(16)}).`);
    this.what = what;
    this.at = at;
    this.problem = problem;
  }
}
