/**
 * Zones as text, in the form of the variable TZ (IEEE 1003.1-2017, section 8.3) with the wider hours of RFC 9636, section 3.3.1:
 *
 * ```
 * CET-1CEST,M3.5.0,M10.5.0/3     <+1030>-10:30<+11>-11,M10.1.0,M4.1.0     EST5     UTC0
 * ```
 *
 * POSIX counts offsets west of Greenwich; a `Zone` counts them east. Names are read and forgotten: nothing shows them.
 */
import { type Daylight, type YearlyChange, type Zone, zoneLimits } from "./zone.ts";

/** A text that describes no zone; the message completes `... is no POSIX time zone: `. */
export class ZoneTextError extends Error {
  readonly text: string;
  /** Where reading stopped, from 0. */
  readonly at: number;

  constructor(text: string, at: number, expected: string) {
    super(`"${text}" is no POSIX time zone: ${expected} expected at character ${at + 1}.`);
    this.text = text;
    this.at = at;
  }

  override get name(): string {
    return "ZoneTextError";
  }
}

/** @throws {ZoneTextError} also for daylight time without its changes, which POSIX leaves to the system, and for parts of minutes. */
export function parseZone(text: string): Zone {
  return new ZoneText(text).zone();
}

class ZoneText {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  zone(): Zone {
    this.name();
    const standardMinutes = -this.minutes(zoneLimits.offsetHoursMax) || 0;
    if (this.#at === this.#text.length) return { standardMinutes, daylight: undefined };
    this.name();
    const minutes =
      this.next() === "," ? standardMinutes + 60 : -this.minutes(zoneLimits.offsetHoursMax) || 0;
    this.take(",");
    const begins = this.change();
    this.take(",");
    const ends = this.change();
    if (this.#at < this.#text.length) this.fail("the end");
    const daylight: Daylight = { minutes, begins, ends };
    return { standardMinutes, daylight };
  }

  private name(): void {
    const from = this.#at;
    if (this.next() === "<") {
      this.#at++;
      while (this.isLetter() || this.isDigit() || this.next() === "+" || this.next() === "-") this.#at++;
      this.take(">");
      if (this.#at - from < 5) this.fail("a name of three characters or more", from);
      return;
    }
    while (this.isLetter()) this.#at++;
    if (this.#at - from < 3) this.fail("a name of three letters or more", from);
  }

  private change(): YearlyChange {
    const on = this.day();
    if (this.next() !== "/") return { minutes: 120, on };
    this.#at++;
    return { minutes: this.minutes(zoneLimits.changeHoursMax), on };
  }

  private day(): YearlyChange["on"] {
    if (this.next() === "J") {
      this.#at++;
      return { kind: "julian", day: this.number(1, 365) };
    }
    if (this.next() !== "M") return { kind: "day", day: this.number(0, 365) };
    this.#at++;
    const month = this.number(1, 12);
    this.take(".");
    const week = this.number(1, 5);
    this.take(".");
    return { kind: "weekday", month, week, weekday: this.number(0, 6) };
  }

  /** `[+-]hh[:mm[:ss]]`, the seconds 0. */
  private minutes(hoursMax: number): number {
    const sign = this.next();
    if (sign === "+" || sign === "-") this.#at++;
    let minutes = 60 * this.number(0, hoursMax);
    if (this.next() === ":") {
      this.#at++;
      minutes += this.number(0, 59);
    }
    if (this.next() === ":") {
      this.#at++;
      this.number(0, 0);
    }
    return sign === "-" ? -minutes || 0 : minutes;
  }

  private number(min: number, max: number): number {
    const from = this.#at;
    let value = 0;
    while (this.isDigit() && this.#at - from < 3) value = value * 10 + Number(this.#text[this.#at++]);
    if (this.#at === from || value < min || value > max) this.fail(`a number from ${min} to ${max}`, from);
    return value;
  }

  private take(character: string): void {
    if (this.next() !== character) this.fail(`"${character}"`);
    this.#at++;
  }

  private next(): string {
    return this.#text.charAt(this.#at);
  }

  private isLetter(): boolean {
    const next = this.next().toLowerCase();
    return next >= "a" && next <= "z";
  }

  private isDigit(): boolean {
    return this.next() >= "0" && this.next() <= "9";
  }

  private fail(expected: string, at = this.#at): never {
    throw new ZoneTextError(this.#text, at, expected);
  }
}
