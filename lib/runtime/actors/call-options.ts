export interface CallOptions {
  /** From the start of the call to its end; also ends a synchronous loop, with its worker. Default none. */
  timeout?: number | string;
  /** How often it is sent again when the worker ends while it runs, -1: endlessly; default the actor's. */
  retries?: number;
  /** More than 1: the method returns an array of so many results, each with a ref of its own. */
  returns?: number;
  /** One of the actor's groups, within which it is counted; default none. */
  concurrencyGroup?: string;
}
