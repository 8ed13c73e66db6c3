import type { Position } from '../files/manifest.ts';
import { type CheckReport, unexaminedText } from './report.ts';

const RULE = 'image-without-digest';

/**
 * The report as a SARIF 2.1.0 log (OASIS sarif-v2.1.0), which code hosts show beside the lines. What
 * could not be read is a notification of the run, which then did not succeed; what was not looked at
 * is one that warns.
 */
export function sarifOf(report: CheckReport, version: string): object {
  const { findings, unread } = report;
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'tagpin', version, rules: [ruleDescription()] } },
        // Columns of our positions count as those of JavaScript.
        columnKind: 'utf16CodeUnits',
        invocations: [
          {
            executionSuccessful: unread.length === 0,
            toolExecutionNotifications: notificationsOf(report),
          },
        ],
        results: findings.map((finding) => ({
          ruleId: RULE,
          ruleIndex: 0,
          level: finding.denies ? 'error' : 'warning',
          message: { text: finding.message },
          locations: [locationOf(finding.file, finding)],
        })),
      },
    ],
  };
}

function notificationsOf(report: CheckReport): readonly object[] {
  const unread = report.unread.map((fault) => ({
    level: 'error',
    message: { text: fault.message },
    locations: [locationOf(fault.file, fault)],
  }));
  const unexamined = unexaminedText(report);
  if (unexamined === undefined) return unread;
  return [...unread, { level: 'warning', message: { text: unexamined } }];
}

function ruleDescription(): object {
  return {
    id: RULE,
    name: 'ImageWithoutDigest',
    shortDescription: { text: 'An image is named without a digest' },
    help: {
      text: 'A tag can move. Pin the image with "tagpin pin", where --skip names by default what is left alone, or exempt it by a constraint.',
    },
  };
}

function locationOf(file: string, { line, column }: Position): object {
  return {
    physicalLocation: {
      artifactLocation: { uri: uriOf(file) },
      region: { startLine: line, startColumn: column },
    },
  };
}

/** A relative reference (RFC 3986), also of a path of Windows. */
function uriOf(file: string): string {
  return file.replaceAll('\\', '/').split('/').map(encodeURIComponent).join('/');
}
