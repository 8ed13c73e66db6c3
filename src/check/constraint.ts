import { PinError } from '../errors.ts';
import { readManifest } from '../files/yaml.ts';
import { isJsonObject, type JsonObject, objectIn, textOf } from '../json.ts';
import { exemptionOf } from '../workload/digest-policy.ts';
import { type Match, readMatch } from './match.ts';

/** A policy with what it applies to. */
export interface Constraint {
  /** Undefined for the policy itself, where no constraint was given. */
  readonly name: string | undefined;
  readonly matches: Match;
  readonly isExempt: (image: string) => boolean;
  /** False for `warn` and `dryrun`: its findings do not fail a check. */
  readonly denies: boolean;
}

/** Every object, and no exemption. */
export const EVERYTHING: Constraint = {
  name: undefined,
  matches: () => true,
  isExempt: () => false,
  denies: true,
};

const KIND = 'K8sImageDigests';
const GROUP = 'constraints.gatekeeper.sh/';
const ACTIONS: ReadonlyMap<string, boolean> = new Map([
  ['deny', true],
  ['warn', false],
  ['dryrun', false],
]);

/**
 * Reads the K8sImageDigests constraints of a file; the policy's own template may stand beside them.
 *
 * @throws PinError `invalid_config` for anything that cannot be judged as gatekeeper judges it
 */
export function readConstraints(text: string, file: string): readonly Constraint[] {
  const { documents, faults } = readManifest(text);
  const [fault] = faults;
  if (fault !== undefined) throw refusal(file, `line ${fault.line}: ${fault.message}`);
  const constraints = documents.flatMap(({ value }) => {
    if (value === null || (isJsonObject(value) && value['kind'] === 'ConstraintTemplate'))
      return [];
    try {
      return [readConstraint(value)];
    } catch (caught) {
      if (!(caught instanceof PinError)) throw caught;
      throw refusal(file, caught.message);
    }
  });
  if (constraints.length === 0) throw refusal(file, `it holds no ${KIND}`);
  return constraints;
}

function readConstraint(value: unknown): Constraint {
  const isOurs =
    isJsonObject(value) &&
    value['kind'] === KIND &&
    textOf(value, 'apiVersion')?.startsWith(GROUP) === true;
  if (!isOurs) throw refusal('a document', `it is no ${KIND} of ${GROUP}`);
  const spec = objectIn(value, 'spec') ?? {};
  onlyFields(spec, ['match', 'parameters', 'enforcementAction']);
  const action = textOf(spec, 'enforcementAction') ?? 'deny';
  const denies = ACTIONS.get(action);
  if (denies === undefined) throw refusal('spec.enforcementAction', `"${action}" is not known`);
  return {
    name: textOf(objectIn(value, 'metadata'), 'name'),
    matches: readMatch(spec['match']),
    isExempt: exemptionOf(exemptImages(spec['parameters'] ?? {})),
    denies,
  };
}

function exemptImages(parameters: unknown): readonly string[] {
  if (!isJsonObject(parameters)) throw refusal('spec.parameters', 'it is no object');
  onlyFields(parameters, ['exemptImages']);
  const images = parameters['exemptImages'] ?? [];
  if (!Array.isArray(images)) throw refusal('exemptImages', 'it is no list');
  return images.map((image: unknown) => {
    if (typeof image !== 'string')
      throw refusal('exemptImages', 'it holds something else than texts');
    return image;
  });
}

function onlyFields(object: JsonObject, known: readonly string[]): void {
  const unknown = Object.keys(object).find((field) => !known.includes(field));
  if (unknown !== undefined) throw refusal(unknown, `known are ${known.join(', ')}`);
}

function refusal(what: string, fault: string): PinError {
  return new PinError('invalid_config', `Cannot read ${what}: ${fault}`);
}
