import type { ProgramParts } from '../../src/commands/program.ts';
import { recordedStreams } from './streams.ts';

function never(): never {
  throw new Error('no command is run here');
}

/** What a program needs of whose commands none is to be run. */
export function idleParts(): ProgramParts {
  return {
    name: 'tagpin',
    version: '0',
    streams: recordedStreams(),
    environment: {},
    openRegistries: never,
    openExplain: never,
    openViaWebhook: never,
    openAudit: never,
    openOnboard: never,
    openDoctor: never,
    uninterrupted: never,
    serve: never,
    end: never,
    exit: never,
  };
}
