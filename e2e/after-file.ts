import { afterAll } from '@jest/globals';

import { optOut } from './support/test-namespace.ts';

/** Jest runs this before each file: whatever becomes of the file, it ends so. */
afterAll(optOut);
