import { describe } from '@jest/globals';

import { ABSENT, namespace, read } from '../support/doctor-facts.ts';
import { itJudges, type Row } from './judgement.ts';

const ROWS: readonly Row[] = [
  {
    id: 'namespaces',
    when: 'none is opted in',
    facts: () => ({ namespaces: read([namespace('shop')]) }),
    expected: [{ status: 'failed', says: 'none is opted in' }],
  },
  {
    id: 'namespaces',
    when: 'one that somebody names is not',
    facts: () => ({
      namespaces: read([namespace('shop'), namespace('other', { 'tagpin.dev/mode': 'x' })]),
      chosen: ['shop', 'gone'],
    }),
    expected: [
      {
        status: 'failed',
        about: 'shop',
        command: 'kubectl label namespace shop tagpin.dev/mode=pin',
      },
      { status: 'failed', about: 'gone', says: 'no such namespace' },
    ],
  },
  {
    id: 'namespaces',
    when: 'labels are misspelt',
    facts: () => ({
      namespaces: read([
        namespace('a', { 'tagpin.dev/mode': 'Enforced' }),
        namespace('b', { 'tagpin.dev/modes': 'pin' }),
        namespace('c', { 'tagpin.dev/mode': 'warn', 'tagpin.dev/level': 'pod' }),
      ]),
    }),
    expected: [
      {
        status: 'failed',
        about: 'a',
        command: 'kubectl label namespace a --overwrite tagpin.dev/mode=enforce',
      },
      { status: 'failed', about: 'b', command: 'kubectl label namespace b tagpin.dev/modes-' },
      {
        status: 'failed',
        about: 'c',
        command: 'kubectl label namespace c --overwrite tagpin.dev/level=pods',
      },
      { status: 'ok', says: '1 opted in' },
    ],
  },
  {
    id: 'namespaces',
    when: 'one is labelled that is never called for',
    facts: () => ({
      namespaces: read([
        namespace('shop', { 'tagpin.dev/mode': 'pin' }),
        namespace('kube-system', { 'tagpin.dev/mode': 'pin' }),
      ]),
    }),
    expected: [
      {
        status: 'warning',
        about: 'kube-system',
        command: 'kubectl label namespace kube-system tagpin.dev/mode-',
      },
      { status: 'ok', says: '1 opted in' },
    ],
  },
  {
    id: 'own-namespace',
    when: 'it enforces nothing',
    facts: () => ({ ownNamespace: read(namespace('tagpin-system')) }),
    expected: [
      {
        status: 'warning',
        command:
          'kubectl label namespace tagpin-system --overwrite pod-security.kubernetes.io/enforce=restricted',
      },
    ],
  },
  {
    id: 'own-namespace',
    when: 'there is none',
    facts: () => ({ ownNamespace: ABSENT }),
    expected: [{ status: 'failed', says: 'no such namespace' }],
  },
];

describe('judgeNamespaces(), judgeOwnNamespace()', () => {
  itJudges(ROWS);
});
