/** An operation as it came in, read field by field: each is checked where it is used, and what nobody asked for is a mistake. */

/** The operation cannot be carried out as it stands; the message says what to change. */
export class WrongOperation extends Error {
  override readonly name = "WrongOperation";
}

export class Operation {
  readonly name: string;
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #read = new Set(["op"]);

  /** @throws {WrongOperation} */
  static parse(line: string): Operation {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      throw new WrongOperation("This line is no JSON: write one JSON object a line.");
    }
    return new Operation(value, "operation");
  }

  constructor(value: unknown, what: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new WrongOperation(`${what} is ${JSON.stringify(value)}: it must be an object.`);
    }
    this.#fields = value as Record<string, unknown>;
    this.name = what === "operation" ? this.text("op") : what;
  }

  has(field: string): boolean {
    return this.#fields[field] !== undefined;
  }

  text(field: string): string {
    const value = this.#take(field);
    if (typeof value !== "string" || value === "") this.#refuse(field, value, "a text that is not empty");
    return value as string;
  }

  optionalText(field: string): string | undefined {
    return this.has(field) ? this.text(field) : undefined;
  }

  integer(field: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
    const value = this.#take(field);
    if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max) {
      const range = max === Number.MAX_SAFE_INTEGER ? `from ${min} on` : `from ${min} to ${max}`;
      this.#refuse(field, value, `an integer ${range}`);
    }
    return value as number;
  }

  optionalInteger(field: string, min: number, otherwise: number): number {
    return this.has(field) ? this.integer(field, min) : otherwise;
  }

  optionalFlag(field: string, otherwise: boolean): boolean {
    if (!this.has(field)) return otherwise;
    const value = this.#take(field);
    if (typeof value !== "boolean") this.#refuse(field, value, "true or false");
    return value as boolean;
  }

  choice<T extends string>(field: string, choices: readonly T[], otherwise: T): T {
    if (!this.has(field)) return otherwise;
    const value = this.#take(field);
    if (!choices.includes(value as T)) this.#refuse(field, value, `one of ${choices.join(", ")}`);
    return value as T;
  }

  texts(field: string): readonly string[] {
    if (!this.has(field)) return [];
    const value = this.#take(field);
    const areTexts = Array.isArray(value) && value.every((each) => typeof each === "string" && each !== "");
    if (!areTexts || new Set(value).size !== value.length)
      this.#refuse(field, value, "a list of different texts");
    return value as string[];
  }

  list(field: string): readonly Operation[] {
    if (!this.has(field)) return [];
    const value = this.#take(field);
    if (!Array.isArray(value)) this.#refuse(field, value, "a list");
    return (value as unknown[]).map((each) => new Operation(each, field));
  }

  object(field: string): Operation | undefined {
    return this.has(field) ? new Operation(this.#take(field), field) : undefined;
  }

  /** Field names and values of an object whose names are free. */
  integers(min: number): ReadonlyMap<string, number> {
    return new Map(Object.keys(this.#fields).map((field) => [field, this.integer(field, min)]));
  }

  /** Throws `WrongOperation` for a field that nobody has read: a slip of the pen must not change what is tested. */
  checkAllRead(): void {
    for (const field of Object.keys(this.#fields)) {
      if (!this.#read.has(field))
        throw new WrongOperation(`${this.name} has no field ${field}: leave it out.`);
    }
  }

  #take(field: string): unknown {
    this.#read.add(field);
    return this.#fields[field];
  }

  #refuse(field: string, value: unknown, must: string): never {
    const shown = value === undefined ? "missing" : JSON.stringify(value);
    throw new WrongOperation(`${this.name ?? "operation"}: ${field} is ${shown}; it must be ${must}.`);
  }
}
