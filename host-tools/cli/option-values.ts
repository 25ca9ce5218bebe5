/** Parsers for option values, for `new Option(...).argParser(...)`; each refuses with what would have been right. */
import { InvalidArgumentError } from "commander";
import { parseHosts } from "../../protocols/messages/host-address.ts";
import { parseDuration } from "../swarm-file/duration.ts";

/** `20s` as milliseconds. */
export function durationMs(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError("Write a duration such as 500ms, 20s, 2m or 1h.");
  return ms;
}

/** A parser for whole numbers within limits. */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      const range = max === Number.MAX_SAFE_INTEGER ? `${min} on` : `${min} to ${max}`;
      throw new InvalidArgumentError(`Write a whole number from ${range}.`);
    }
    return value;
  };
}

/** A TCP port; 0 asks for any free one. */
export const port = wholeNumber(0, 65_535);

/** `a=192.0.2.7:7883,b=host-b.local`, checked and unchanged. */
export function hostList(text: string): string {
  if (parseHosts(text) === undefined) {
    throw new InvalidArgumentError("Write NAME=ADDRESS:PORT, and more after a comma: at most three hosts.");
  }
  return text;
}

/** A number above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value <= 0) throw new InvalidArgumentError("Write a number above 0.");
  return value;
}

/** As it fits an image's descriptor and a release: printable ASCII, at most 31 characters. */
export function versionText(text: string): string {
  if (!/^[!-~]{1,31}$/.test(text)) {
    throw new InvalidArgumentError("Write a version such as 0.2.0: at most 31 characters, and no space.");
  }
  return text;
}
