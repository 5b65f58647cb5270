/** A refusal in the server's own words. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly orderId: string | null = null,
    /** What the request was answered with; 0 where there was no answer. */
    readonly status: number = 0,
  ) {
    super(message);
  }

  /** Whether what was asked may have been done all the same. */
  get unsettled(): boolean {
    return this.status === 0 || (this.status >= 500 && this.status !== 503);
  }
}

/** Return any error's sentence. */
export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
