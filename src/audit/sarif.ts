import { type AuditReport, STATE_RULES, type StateRule } from './findings.ts';
import { workloadName } from './use.ts';

const RULES: readonly (readonly [string, StateRule])[] = Object.entries(STATE_RULES);
const IDS: readonly string[] = RULES.map(([id]) => id);

/**
 * The report as a SARIF 2.1.0 log (OASIS sarif-v2.1.0). What runs in a cluster stands in no file: a
 * workload is a logical location (section 3.33).
 */
export function sarifOf({ findings, unread }: AuditReport, version: string): object {
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'tagpin', version, rules: RULES.map(ruleOf) } },
        invocations: [{ executionSuccessful: unread === 0 }],
        results: findings.map(({ state, use, detail }) => ({
          ruleId: state,
          ruleIndex: IDS.indexOf(state),
          level: STATE_RULES[state].level,
          message: {
            text: `${use.place}: ${use.image} ${STATE_RULES[state].says}${detail === undefined ? '' : `: ${detail}`}`,
          },
          locations: [
            {
              logicalLocations: [
                {
                  name: use.workload.name,
                  fullyQualifiedName: workloadName(use),
                  kind: 'resource',
                },
              ],
            },
          ],
        })),
      },
    ],
  };
}

function ruleOf([id, { says, advice, level }]: readonly [string, StateRule]): object {
  return {
    id,
    shortDescription: { text: `An image ${says}` },
    help: { text: advice },
    defaultConfiguration: { level },
  };
}
