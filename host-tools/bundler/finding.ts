/** What the frozen check reports. */
import type { AnyNode } from "acorn";

export interface Finding {
  /** Source file, relative to the project's root. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly what: string;
  readonly why: string;
  readonly instead: string;
}

/** A finding before its place in the joined core is mapped back to a source file. */
export interface Complaint {
  readonly node: AnyNode;
  readonly what: string;
  readonly why: string;
  readonly instead: string;
}

export function formatFinding(finding: Finding): string {
  return `${finding.file}:${finding.line}: ${finding.what}: ${finding.why}; ${finding.instead}`;
}
