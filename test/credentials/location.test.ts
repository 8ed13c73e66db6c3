import { describe, expect, it } from '@jest/globals';
import { parseLocation } from '../../src/credentials/location.ts';

describe('parseLocation()', () => {
  it.each([
    ['a.example.com', 'a.example.com', ''],
    ['a.example.com:5000/b/c', 'a.example.com:5000', '/b/c'],
    ['*.example.com/b', '*.example.com', '/b'],
    ['[fc00::1]:5000/a', '[fc00::1]:5000', '/a'],
    ['a.example.com:', 'a.example.com:', ''],
    ['user:password@a.example.com/b', 'a.example.com', '/b'],
    ['a.example.com/%62%2Fc', 'a.example.com', '/b/c'],
    ['a.example.com/b?c=/d', 'a.example.com', '/b'],
    ['a.example.com?b', 'a.example.com', ''],
    ['a.example.com/b#c?d', 'a.example.com', '/b'],
    ['', '', ''],
    ['/b', '', '/b'],
  ])('reads %j', (text, host, path) => {
    expect(parseLocation(text)).toStrictEqual({ host, path });
  });

  it.each([
    ['a port that is no number', 'a:b/c'],
    ['two colons outside brackets', 'fc00::1/a'],
    ['an open bracket', '[fc00::1'],
    ['brackets around no address', '[ab]/c'],
    ['brackets behind a name', 'a[12].example.com'],
    ['text behind brackets', '[fc00::1]x'],
    ['a control character', 'a\tb'],
    ['half an escape in the path', 'a/%4'],
    ['half an escape in the fragment', 'a#%x'],
    ['half an escape before "@"', 'a%4@b'],
    ['an escape that is no UTF-8', 'a/%ff'],
    ['a strange character before "@"', 'a b@c'],
  ])('refuses %s', (_, text) => {
    expect(parseLocation(text)).toBeUndefined();
  });
});
