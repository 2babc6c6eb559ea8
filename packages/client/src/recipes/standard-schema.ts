import { DataInconsistencyError } from '../errors.ts';
import { formatIssues, type StandardSchema } from '../standard-schema.ts';

export type { StandardIssue, StandardResult, StandardSchema } from '../standard-schema.ts';

/** The value as the validator makes it. @throws DataInconsistencyError that names every issue */
export async function validated<Output>(
  schema: StandardSchema<unknown, Output>,
  value: unknown,
  path: string,
): Promise<Output> {
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return result.value;
  const message = `Cannot use the value of ${path}: ${formatIssues(result.issues)}`;
  throw new DataInconsistencyError({ path, message });
}
