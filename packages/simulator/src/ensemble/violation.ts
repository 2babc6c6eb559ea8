/** A promise of ZooKeeper was broken; found from outside, by a checker. */
export class Violation extends Error {
  override readonly name: string = 'Violation';
  /** Which promise: the same fault has the same rule, whatever the numbers. */
  readonly rule: string;
  constructor(rule: string, detail: string) {
    super(`${rule}: ${detail}`);
    this.rule = rule;
  }
}

/** @throws Violation of `rule` unless `holds` */
export function demand(holds: boolean, rule: string, detail: () => string): asserts holds {
  if (!holds) throw new Violation(rule, detail());
}
