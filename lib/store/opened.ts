/** An open native store. It is closed when nothing that stands on it can be reached any more. */
export interface Opened {
  readonly store: number;
  closed: boolean;
}
