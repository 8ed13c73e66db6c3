import { PinError } from '../errors.ts';
import { isJsonObject, textOf } from '../json.ts';

type Labels = ReadonlyMap<string, string>;
type Requirement = (labels: Labels) => boolean;

/** Whether an operator takes values, and when it holds for the value of its key. */
interface Operator {
  readonly takesValues: boolean;
  readonly holds: (value: string | undefined, values: readonly string[]) => boolean;
}

/** The operators of a LabelSelector (apimachinery meta/v1). */
const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  [
    'In',
    { takesValues: true, holds: (value, values) => value !== undefined && values.includes(value) },
  ],
  [
    'NotIn',
    { takesValues: true, holds: (value, values) => value === undefined || !values.includes(value) },
  ],
  ['Exists', { takesValues: false, holds: (value) => value !== undefined }],
  ['DoesNotExist', { takesValues: false, holds: (value) => value === undefined }],
]);

/**
 * Reads a LabelSelector; all of its requirements must hold.
 *
 * @throws PinError `invalid_config`
 */
export function readLabelSelector(selector: unknown): Requirement {
  if (!isJsonObject(selector)) throw refusal('it is no object');
  const { matchLabels, matchExpressions, ...others } = selector;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw refusal(`${unknown} is no part of it`);
  const requirements = [...equalities(matchLabels ?? {}), ...expressions(matchExpressions ?? [])];
  return (labels) => requirements.every((holds) => holds(labels));
}

function equalities(matchLabels: unknown): Requirement[] {
  if (!isJsonObject(matchLabels)) throw refusal('matchLabels is no object');
  return Object.entries(matchLabels).map(([key, value]) => {
    if (typeof value !== 'string') throw refusal(`matchLabels.${key} is no text`);
    return (labels) => labels.get(key) === value;
  });
}

function expressions(matchExpressions: unknown): Requirement[] {
  if (!Array.isArray(matchExpressions)) throw refusal('matchExpressions is no list');
  return matchExpressions.map((item: unknown) => {
    const key = isJsonObject(item) ? textOf(item, 'key') : undefined;
    const name = isJsonObject(item) ? (textOf(item, 'operator') ?? '') : '';
    const operator = OPERATORS.get(name);
    if (!isJsonObject(item) || key === undefined || operator === undefined) {
      throw refusal('an expression needs a key, and one of In, NotIn, Exists and DoesNotExist');
    }
    const values = textsOf(item['values'] ?? []);
    if (operator.takesValues !== values.length > 0) {
      throw refusal(`${name} takes ${operator.takesValues ? 'at least one value' : 'no values'}`);
    }
    return (labels) => operator.holds(labels.get(key), values);
  });
}

function textsOf(values: unknown): readonly string[] {
  if (!Array.isArray(values)) throw refusal('the values of an expression are no list');
  return values.map((value: unknown) => {
    if (typeof value !== 'string') throw refusal('a value of an expression is no text');
    return value;
  });
}

function refusal(fault: string): PinError {
  return new PinError(
    'invalid_config',
    `Cannot read the labelSelector of the constraint: ${fault}`,
  );
}
