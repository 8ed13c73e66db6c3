import type { Settings } from '../setting.ts';
import { COMMAND_LINE_SETTINGS, type CommandLineSettings } from './command-line-settings.ts';
import { EXPLAIN_SETTINGS, type ExplainSettings } from './explain-settings.ts';

/** What commands that look at a cluster are told. */
export interface AuditSettings
  extends CommandLineSettings,
    Pick<ExplainSettings, 'kubeconfig' | 'context'> {}

export const AUDIT_SETTINGS: Settings<AuditSettings> = {
  kubeconfig: EXPLAIN_SETTINGS.kubeconfig,
  context: EXPLAIN_SETTINGS.context,
  ...COMMAND_LINE_SETTINGS,
};
