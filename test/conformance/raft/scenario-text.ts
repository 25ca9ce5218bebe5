/** How a scenario file shows messages, entries and configurations, and how it writes links and changes. */
import { type Change, type Configuration, isJoint } from "../../../protocols/raft/confchange.ts";
import { configurationFromEntry } from "../../../protocols/raft/membership.ts";
import type {
  AppendRequest,
  AppendResponse,
  Entry,
  LogResponse,
  Message,
  Publication,
  SnapshotChunk,
  SnapshotItem,
  SnapshotResponse,
  VoteRequest,
  VoteResponse,
} from "../../../protocols/raft/types.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";

/** What is on the way: a message, or a publication to one of those that listen. */
export type Parcel = Message | (Publication & { readonly to: string });

/** `a>n`, `a>` for all from a, `>n` for all to n; anything else, a count say, is every link. */
export function isOn(link: string, parcel: Parcel): boolean {
  if (!link.includes(">")) return true;
  const [from, to] = link.split(">");
  return (from === "" || from === parcel.from) && (to === "" || to === parcel.to);
}

/** One line. */
export function parcelText(parcel: Parcel): string {
  return `${parcel.from}>${parcel.to} ${contentText(parcel)}`;
}

function contentText(parcel: Parcel): string {
  switch (parcel.type) {
    case "vote-request":
      return voteRequestText(parcel);
    case "vote-response":
      return voteResponseText(parcel);
    case "append-request":
      return appendText(parcel);
    case "append-response":
      return appendResponseText(parcel);
    case "timeout-now":
      return `lead now term=${parcel.term}`;
    case "publication":
      return publicationText(parcel);
    case "snapshot-chunk":
      return chunkText(parcel);
    case "snapshot-response":
      return snapshotResponseText(parcel);
    case "log-request":
      return `what follows ${parcel.afterIndex}/${parcel.afterTerm}? term=${parcel.term}${stagedText(parcel)}`;
    case "log-response":
      return logResponseText(parcel);
  }
}

function voteRequestText({ purpose, term, lastLogIndex, lastLogTerm }: VoteRequest): string {
  const asked = { election: "vote?", "pre-vote": "would vote?", transfer: "vote, as the leader wants?" };
  return `${asked[purpose]} term=${term} last=${lastLogIndex}/${lastLogTerm}`;
}

/** A voter that refuses says where its log ends; one that does not need not be asked. */
function voteResponseText({ granted, isPreVote, term, lastLogIndex, lastLogTerm }: VoteResponse): string {
  const end = granted ? "" : ` last=${lastLogIndex}/${lastLogTerm}`;
  if (isPreVote) return `would ${granted ? "" : "not "}vote term=${term}${end}`;
  return `${granted ? "vote" : "no vote"} term=${term}${end}`;
}

function appendText(append: AppendRequest): string {
  const { term, prevLogIndex, prevLogTerm, commitIndex, entries } = append;
  const place = `term=${term} prev=${prevLogIndex}/${prevLogTerm} commit=${commitIndex}`;
  return `append ${place} ${entriesText(entries)}${roundText(append)}`;
}

function appendResponseText(response: AppendResponse): string {
  const { term, success, matchIndex, appliedIndex } = response;
  const what = success ? `match=${matchIndex}` : `refused, try after ${matchIndex}`;
  return `${success ? "ok" : "no"} term=${term} ${what} applied=${appliedIndex}${roundText(response)}`;
}

export function publicationText({ term, prevLogIndex, prevLogTerm, entries }: Publication): string {
  return `published term=${term} prev=${prevLogIndex}/${prevLogTerm} ${entriesText(entries)}`;
}

function chunkText({ term, index, indexTerm, first, items, isLast }: SnapshotChunk): string {
  const what = `[${items.map(itemText).join(" ")}]${isLast ? " last" : ""}`;
  return `snapshot ${index}/${indexTerm} term=${term} from item ${first} ${what}`;
}

function snapshotResponseText({ term, index, indexTerm, received, isInstalled }: SnapshotResponse): string {
  return `${isInstalled ? "needs no more" : `has ${received} items`} of ${index}/${indexTerm} term=${term}`;
}

function stagedText({
  snapshotIndex,
  snapshotFirst,
}: {
  snapshotIndex: number;
  snapshotFirst: number;
}): string {
  return snapshotIndex === 0 ? "" : ` has ${snapshotFirst} items of ${snapshotIndex}`;
}

function logResponseText(response: LogResponse): string {
  const { isMatch, term, prevLogIndex, prevLogTerm, lastLogIndex, lastLogTerm, commitIndex, entries } =
    response;
  const place = `${prevLogIndex}/${prevLogTerm} term=${term} last=${lastLogIndex}/${lastLogTerm} commit=${commitIndex}`;
  return isMatch ? `after ${place} ${entriesText(entries)}` : `not that: after ${place}?`;
}

function roundText({ readRound }: { readonly readRound: number }): string {
  return readRound > 0 ? ` round=${readRound}` : "";
}

function entriesText(entries: readonly Entry[]): string {
  return `[${entries.map(entryText).join(" ")}]`;
}

/** Index/term and what it says. */
export function entryText(entry: Entry): string {
  return `${entry.index}/${entry.term}:${itemText(entry)}`;
}

export function itemText({ kind, version, data }: SnapshotItem): string {
  if (kind === EntryKind.noop) return "noop";
  if (kind === EntryKind.membership) return configurationText(configurationFromEntry(version, data)!);
  const text = String.fromCharCode(...data);
  return text.length > 40 ? `${text.slice(0, 12)}...(${text.length} bytes)` : text;
}

/** `voters=incoming&&outgoing`, and what else there is to tell. */
export function configurationText(configuration: Configuration): string {
  const { voters, outgoing, learners, learnersNext, autoLeave } = configuration;
  const parts = [`voters=${voters.join(",")}${isJoint(configuration) ? `&&${outgoing.join(",")}` : ""}`];
  if (learners.length > 0) parts.push(`learners=${learners.join(",")}`);
  if (learnersNext.length > 0) parts.push(`learners-next=${learnersNext.join(",")}`);
  if (autoLeave) parts.push("auto-leave");
  return parts.join(" ");
}

/** `+n` votes, `~n` learns, `-n` goes. */
export function changeFrom(word: string): Change {
  const kinds: Readonly<Record<string, Change["kind"]>> = { "+": "voter", "~": "learner", "-": "remove" };
  const kind = kinds[word[0] ?? ""];
  if (kind === undefined) throw new Error(`no change: ${word}`);
  return { kind, id: word.slice(1) };
}
