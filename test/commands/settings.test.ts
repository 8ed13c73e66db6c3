import { describe, expect, it } from '@jest/globals';
import { Command, CommanderError } from 'commander';

import { addSettings, settingsOf } from '../../src/commands/settings.ts';
import { SERVE_SETTINGS, type ServeSettings } from '../../src/config.ts';
import { REGISTRY_SETTINGS } from '../../src/settings/registry-settings.ts';

function serveCommand(): Command {
  const command = new Command('serve')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  addSettings(command, SERVE_SETTINGS);
  return command;
}

function read(argv: readonly string[], environment: Record<string, string> = {}): ServeSettings {
  return settingsOf(serveCommand().parse(argv, { from: 'user' }), SERVE_SETTINGS, environment);
}

/** The code of commander's own refusal. */
function refusal(argv: readonly string[]): string {
  try {
    read(argv);
  } catch (caught) {
    if (caught instanceof CommanderError) return caught.code;
    throw caught;
  }
  return 'none';
}

describe('settingsOf()', () => {
  it.each<[keyof ServeSettings, readonly string[], unknown]>([
    ['listen', ['--listen', '127.0.0.1:0'], { host: '127.0.0.1', port: 0 }],
    ['operationsListen', ['--operations-listen=[::1]:1'], { host: '::1', port: 1 }],
    ['debugListen', ['--debug-listen', 'off'], undefined],
    ['tlsCert', ['--tls-cert', 'a'], 'a'],
    ['tlsKey', ['--tls-key', 'a'], 'a'],
    ['kubeconfig', ['--kubeconfig', 'a'], 'a'],
    ['cluster', ['--no-cluster'], false],
    ['plainHttp', ['--plain-http', 'a:5000,b'], ['a:5000', 'b']],
    ['allowAddress', ['--allow-address', '10.0.0.0/8'], ['10.0.0.0/8']],
    ['allowRegistry', ['--allow-registry', '*.example.com'], ['*.example.com']],
    ['cacheTtl', ['--cache-ttl', '5s'], 5000],
    ['staleIfError', ['--stale-if-error', '5s'], 5000],
    ['referenceForm', ['--reference-form', 'tag-and-digest'], 'tag-and-digest'],
    ['skip', ['--skip', 'a/*,b/*'], ['a/*', 'b/*']],
    ['allowSkipInEnforce', ['--allow-skip-in-enforce'], true],
    ['drainTime', ['--drain-time', '5s'], 5000],
    ['logLevel', ['--log-level', 'warn'], 'warn'],
  ])('reads %s from its flag, and nothing else', (name, argv, expected) => {
    expect(read(argv)).toEqual({ ...read([]), [name]: expected });
  });

  it('has a flag for every setting of the table above', () => {
    expect(
      serveCommand()
        .options.map((option) => option.attributeName())
        .toSorted(),
    ).toEqual(Object.keys(SERVE_SETTINGS).toSorted());
  });

  it('takes the flag before the variable, and the variable before the default', () => {
    const environment = { TAGPIN_CLUSTER: 'false', TAGPIN_CACHE_TTL: '1s', TAGPIN_SKIP: '' };
    expect(read([], environment)).toMatchObject({ cluster: false, cacheTtl: 1000, skip: [] });
    expect(read(['--cache-ttl', '2s'], environment).cacheTtl).toBe(2000);
    expect(read(['--no-cluster'], { TAGPIN_CLUSTER: 'true' }).cluster).toBe(false);
  });

  it('tells all problems of flags and variables at once', () => {
    expect(() => read(['--listen', 'here'], { TAGPIN_CACHE_TTL: 'soon' })).toThrow(
      'Cannot start with these settings: --listen (TAGPIN_LISTEN): expected HOST:PORT, got "here"; ' +
        '--cache-ttl (TAGPIN_CACHE_TTL): expected a duration such as 60s or 1h, got "soon"',
    );
  });

  it.each([
    ['a flag that there is not', ['--cache'], 'commander.unknownOption'],
    ['a list without a value', ['--plain-http'], 'commander.optionMissingArgument'],
    ['an address without a value', ['--listen'], 'commander.optionMissingArgument'],
  ])('refuses %s', (_, argv, code) => {
    expect(refusal(argv)).toBe(code);
  });
});

describe('addSettings()', () => {
  it('writes flag, default and variable into the help', () => {
    const command = new Command('resolve').configureHelp({ helpWidth: 1000 });
    addSettings(command, REGISTRY_SETTINGS);
    expect(command.helpInformation()).toMatch(
      /--allow-address <CIDR,…> +Addresses .+ \[TAGPIN_ALLOW_ADDRESS\]\n/,
    );
    const serve = serveCommand().configureHelp({ helpWidth: 1000 }).helpInformation();
    expect(serve).toMatch(/--cache-ttl <DURATION> +.+ Default: 60s\. \[TAGPIN_CACHE_TTL\]\n/);
    expect(serve).toMatch(/--no-cluster +.+ \[TAGPIN_CLUSTER\]\n/);
    expect(serve).toMatch(/--kubeconfig <FILE> .+ is used\. \[TAGPIN_KUBECONFIG\]\n/);
    // A flag without a value is off where it is not there.
    expect(serve).not.toMatch(/^ +--[a-z-]+ {2,}.*Default: /m);
    expect(serve).not.toContain('Default: .');
  });
});
