import type { StandardResult, StandardSchema } from '@meerkat/client/recipes';

/** How the page reaches its database. This is what the znode holds, as JSON. */
export interface PoolSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly connectionsMax: number;
}

/** A validator by hand. One of zod, valibot or ArkType would stand here as well. */
export const poolSettings: StandardSchema<PoolSettings> = {
  '~standard': { version: 1, vendor: 'example', validate },
};

function validate(value: unknown): StandardResult<PoolSettings> {
  const given: Partial<PoolSettings> | null = typeof value === 'object' ? value : null;
  const issues: { message: string; path: string[] }[] = [];
  for (const name of ['host', 'user', 'password', 'database'] as const) {
    if (typeof given?.[name] !== 'string') issues.push({ message: 'must be text', path: [name] });
  }
  for (const [name, most] of [
    ['port', 65535],
    ['connectionsMax', 100],
  ] as const) {
    const number = given?.[name] ?? 0;
    if (Number.isInteger(number) && number >= 1 && number <= most) continue;
    issues.push({ message: `must be a whole number from 1 to ${most}`, path: [name] });
  }
  return issues.length > 0 ? { issues } : { value: given as PoolSettings };
}
