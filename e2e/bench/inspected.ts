import { once } from 'node:events';

/** What a process of Node says of its own memory, after a forced collection. */
export interface MemoryUse {
  readonly heapBytes: number;
  readonly residentBytes: number;
}

/** The inspector of a process that was started with `--inspect=127.0.0.1:PORT`. */
export async function collectedMemory(port: number): Promise<MemoryUse> {
  const list = await fetch(`http://127.0.0.1:${port}/json/list`);
  const [target] = (await list.json()) as { readonly webSocketDebuggerUrl: string }[];
  const socket = new WebSocket(target?.webSocketDebuggerUrl ?? '');
  await once(socket, 'open');
  try {
    // Twice: what the first one finds unreachable may have held something by a finalizer.
    await call(socket, 'HeapProfiler.collectGarbage', {});
    await call(socket, 'HeapProfiler.collectGarbage', {});
    const expression = '(({ heapUsed, rss }) => [heapUsed, rss])(process.memoryUsage())';
    const answer = await call(socket, 'Runtime.evaluate', { expression, returnByValue: true });
    const { result } = answer as { readonly result: { readonly value: [number, number] } };
    const [heapBytes, residentBytes] = result.value;
    return { heapBytes, residentBytes };
  } finally {
    socket.close();
  }
}

let calls = 0;

/** One command of the Chrome DevTools Protocol, and its result. */
async function call(socket: WebSocket, method: string, params: object): Promise<unknown> {
  calls += 1;
  const id = calls;
  socket.send(JSON.stringify({ id, method, params }));
  for (;;) {
    const [event] = (await once(socket, 'message')) as [{ readonly data: string }];
    const message = JSON.parse(event.data) as {
      readonly id?: number;
      readonly result?: unknown;
      readonly error?: { readonly message: string };
    };
    if (message.id !== id) continue;
    if (message.error !== undefined) throw new Error(`${method}: ${message.error.message}`);
    return message.result;
  }
}
