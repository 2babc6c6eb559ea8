/** A request to the control port that cannot be carried out, with the HTTP status that says why. */
export class ControlError extends Error {
  override readonly name: string = 'ControlError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
