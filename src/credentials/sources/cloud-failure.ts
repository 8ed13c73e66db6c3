import { PinError } from '../../errors.ts';
import { isJsonObject } from '../../json.ts';

/** What was asked of whom, for the message of a failure. */
export interface CloudQuestion {
  /** A clause without its end: `AWS gives no ECR password for "us-east-1"`. */
  readonly asked: string;
  /** What the reader can do, in one clause. */
  readonly advice: string;
}

/**
 * The failure of a question to a cloud. Of the library's error only the HTTP status and its codes
 * are told, and it is not attached: its text may quote what was answered, and what was sent.
 */
export function cloudFailure({ asked, advice }: CloudQuestion, caught: unknown): PinError {
  if (caught instanceof PinError) return caught;
  const { status, names } = traceOf(caught);
  const told = [...(status === undefined ? [] : [`answered ${status}`]), ...names];
  const why = told.length === 0 ? '' : ` (${told.join(', ')})`;
  return new PinError('credential_source_failed', `${asked}${why}: ${advice}`);
}

/** As codes and class names are written; no token is that short and without a digit. */
const NAME = /^[A-Za-z_]{2,40}$/;
/** Names that every error has, and that tell nothing. */
const EMPTY_NAMES: ReadonlySet<string> = new Set(['Error', 'TypeError', 'PinError']);
const MAX_DEPTH = 6;

interface Trace {
  readonly status: number | undefined;
  readonly names: readonly string[];
}

/** Goes down the causes, and into the list of an AggregateError: to its last, which is the decisive. */
function traceOf(caught: unknown): Trace {
  let status: number | undefined;
  const names = new Set<string>();
  let here: unknown = caught;
  for (let depth = 0; depth < MAX_DEPTH && Error.isError(here); depth += 1) {
    const read = readerOf(here);
    status ??= statusOf(read);
    for (const name of namesOf(read)) names.add(name);
    const several = read('errors');
    here = Array.isArray(several) ? several.at(-1) : read('cause');
  }
  return { status, names: [...names] };
}

type Read = (field: string) => unknown;

function readerOf(error: object): Read {
  return (field) => Reflect.get(error, field);
}

/** Where Google's, AWS's and Azure's libraries keep it, in this order. */
function statusOf(read: Read): number | undefined {
  const metadata = read('$metadata');
  const places = [
    read('status'),
    isJsonObject(metadata) ? metadata['httpStatusCode'] : undefined,
    // Of AuthenticationError it is 400, whatever was answered.
    read('name') === 'RestError' ? read('statusCode') : undefined,
  ];
  return places.find((one) => typeof one === 'number');
}

/** Entra ID's own number of what is wrong stands in a text that has more in it. */
const ENTRA_CODE = /\bAADSTS\d{3,9}\b/;

function namesOf(read: Read): string[] {
  const message = read('message');
  const entra = typeof message === 'string' ? ENTRA_CODE.exec(message)?.[0] : undefined;
  const names = [read('name'), read('code')]
    .filter((one) => typeof one === 'string')
    .filter((name) => NAME.test(name) && !EMPTY_NAMES.has(name));
  return entra === undefined ? names : [...names, entra];
}
