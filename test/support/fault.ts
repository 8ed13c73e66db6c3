import type { ServerResponse } from 'node:http';

/** What a registry can do wrong on the wire; each ends with the connection. */
export type Fault =
  | 'reset'
  | 'silence'
  | 'silent_body'
  | 'drip'
  | 'reset_in_body'
  | 'cut_short'
  | 'endless_body'
  | 'large_header';

const DRIP_MS = 5;
const CHUNK_BYTES = 64 * 1024;
/** Above the 16 KiB that Node's parser accepts. */
const LARGE_HEADER_BYTES = 32 * 1024;

const FAULTS: Readonly<Record<Fault, (response: ServerResponse) => void>> = {
  reset: ({ socket }) => socket?.resetAndDestroy(),
  silence: () => {},
  silent_body: (response) => response.write('{'),
  drip: (response) => {
    const timer = setInterval(() => response.write(' '), DRIP_MS);
    response.once('close', () => clearInterval(timer));
  },
  reset_in_body: (response) => {
    response.write('{', () => response.socket?.resetAndDestroy());
  },
  cut_short: (response) => {
    response.write('{', () => response.socket?.end());
  },
  endless_body: (response) => pour(response),
  large_header: (response) => {
    response.setHeader('x-padding', 'x'.repeat(LARGE_HEADER_BYTES)).end();
  },
};

/** Answers wrongly. */
export function misbehave(fault: Fault, response: ServerResponse): void {
  FAULTS[fault](response);
}

/** As fast as the other side reads, until it hangs up. */
function pour(response: ServerResponse): void {
  while (!response.destroyed && response.write(Buffer.alloc(CHUNK_BYTES, ' ')));
  if (!response.destroyed) response.once('drain', () => pour(response));
}
