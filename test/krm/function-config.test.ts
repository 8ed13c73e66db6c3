import { describe, expect, it } from '@jest/globals';

import { readFunctionConfig } from '../../src/krm/function-config.ts';

const DEFAULTS = {
  mode: 'pin',
  referenceForm: 'digest',
  comment: false,
  update: false,
  skip: undefined,
  extraKinds: [],
  lock: undefined,
  digests: [],
};

function pin(spec: unknown): unknown {
  return { apiVersion: 'tagpin.dev/v1alpha1', kind: 'Pin', metadata: { name: 'x' }, spec };
}

function configMap(data: unknown): unknown {
  return { apiVersion: 'v1', kind: 'ConfigMap', data };
}

describe('readFunctionConfig()', () => {
  it.each([
    ['none', undefined],
    ['an empty Pin', pin(undefined)],
    ['an empty ConfigMap', configMap({})],
  ])('has a default for everything: %s', (_, config) => {
    expect(readFunctionConfig(config)).toEqual(DEFAULTS);
  });

  const expected = {
    mode: 'check',
    referenceForm: 'tag-and-digest',
    comment: true,
    update: true,
    skip: ['a/*', 'b/*'],
    extraKinds: ['argoproj.io/Rollout=spec.template'],
    lock: 'tagpin.lock',
    digests: ['a@sha256:b'],
  };

  it('reads the spec of a Pin', () => {
    expect(readFunctionConfig(pin(expected))).toEqual(expected);
  });

  it('reads the data of a ConfigMap, whose values are texts', () => {
    const data = {
      ...expected,
      comment: 'true',
      update: 'true',
      skip: 'a/*, b/*',
      extraKinds: 'argoproj.io/Rollout=spec.template\n',
      digests: 'a@sha256:b',
    };
    expect(readFunctionConfig(configMap(data))).toEqual(expected);
    expect(readFunctionConfig(configMap({ comment: 'false' }))).toEqual(DEFAULTS);
  });

  it.each([
    ['another kind', { apiVersion: 'v1', kind: 'Secret' }, 'got "v1 Secret"'],
    ['another group', { apiVersion: 'x/v1', kind: 'Pin' }, 'got "x/v1 Pin"'],
    ['something else', 7, 'got ""'],
    ['an unknown key', pin({ lcok: 'a' }), '"lcok" is none of mode, referenceForm'],
    ['a key of all objects', pin({ constructor: 'a' }), '"constructor" is none of'],
    ['a mode', pin({ mode: 'x' }), 'mode: expected one of pin, check, got "x"'],
    ['a truth', configMap({ comment: 'yes' }), 'comment: expected true or false, got "yes"'],
    ['a list', pin({ skip: 7 }), 'skip: expected a list of texts, got 7'],
    ['an item', pin({ skip: [7] }), 'skip: expected a list of texts, got 7'],
    ['a text', pin({ lock: '' }), 'lock: expected a text, got ""'],
  ])('refuses %s', (_, config, message) => {
    expect(() => readFunctionConfig(config)).toThrow(
      expect.objectContaining({
        code: 'invalid_config',
        message: expect.stringContaining(message),
      }),
    );
  });
});
