/** The disk of a member in tests: the Raft shell's, on which what was not synced is lost in a crash. */
export { MemoryLog as Disk, sha256 } from "../../../../host-tools/raft-shell/memory-log.ts";
