/** What `/api/alerts` takes and answers. */

/** An alert on one board: pending, firing, or over. */
export interface AlertStatus {
  readonly alert: string;
  readonly board: string;
  /** For a person: `temperature above 28 °C for 5m`. */
  readonly condition: string;
  readonly phase: "pending" | "firing" | "recovered";
  /** Unix milliseconds. */
  readonly sinceMs: number;
  /** With which it began: a reading in `unit`, or the seconds of a silence. */
  readonly value: number;
  readonly unit: string;
  /** Of one that is over. */
  readonly untilMs?: number | undefined;
  readonly untilValue?: number | undefined;
  /** Who has seen it; undefined for nobody. */
  readonly acknowledgedBy?: string | undefined;
  /** Notices that webhooks have still to be told. */
  readonly untoldNotices: number;
}

export interface AlertsAnswer {
  /** What fires, the newest first, then what is pending, then what was over last. */
  readonly alerts: readonly AlertStatus[];
  /** Pairs of an alert and a board. */
  readonly watched: number;
  readonly webhooks: readonly { readonly place: string; readonly problem: string | undefined }[];
}

export interface AlertTested {
  /** Where the webhook is: scheme, name and port of its address. */
  readonly place: string;
  /** Why it did not take the test notice; undefined when it did. */
  readonly problem: string | undefined;
}
