import { execFile } from 'node:child_process';

import { binaryPath } from './binaries.ts';

/** What a kubectl call printed and how it ended. */
export interface KubectlResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to call kubectl. */
export interface KubectlOptions {
  /** Goes to standard input: an object as JSON, or text. */
  readonly input?: object | string;
  /** Give the result of a call that failed instead of throwing. */
  readonly mayFail?: boolean;
  /** In addition to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The real kubectl, as one user, in one namespace when one is given. */
export class Kubectl {
  readonly #global: readonly string[];
  readonly kubeconfig: string;
  readonly namespace: string | undefined;

  constructor(kubeconfig: string, namespace?: string) {
    this.kubeconfig = kubeconfig;
    this.namespace = namespace;
    this.#global = [
      `--kubeconfig=${kubeconfig}`,
      ...(namespace === undefined ? [] : [`--namespace=${namespace}`]),
    ];
  }

  /** @throws Error with the command and what it printed, when it fails and may not */
  async run(args: readonly string[], options: KubectlOptions = {}): Promise<KubectlResult> {
    const { input, env } = options;
    const text = typeof input === 'object' ? JSON.stringify(input) : input;
    const result = await execute([...this.#global, ...args], { text, env });
    if (result.exitCode !== 0 && options.mayFail !== true) {
      throw new Error(`kubectl ${args.join(' ')}: ${result.stderr.trim() || result.stdout}`);
    }
    return result;
  }

  /** `kubectl get … -o json`, parsed. */
  async get<T>(...args: readonly string[]): Promise<T> {
    const { stdout } = await this.run(['get', ...args, '--output=json']);
    return JSON.parse(stdout) as T;
  }

  /** `kubectl apply` of one object, client-side unless told otherwise. */
  apply(object: object, ...args: readonly string[]): Promise<KubectlResult> {
    return this.run(['apply', '--filename=-', ...args], { input: object });
  }
}

function execute(
  args: readonly string[],
  { text, env }: { readonly text: string | undefined; readonly env: KubectlOptions['env'] },
): Promise<KubectlResult> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      binaryPath('kubectl'),
      args,
      { maxBuffer: 64 * 1024 * 1024, env: { ...process.env, ...env } },
      (error, stdout, stderr) => {
        // A number is kubectl's own exit code; anything else means that it could not run.
        if (error !== null && typeof error.code !== 'number') reject(error);
        else resolve({ exitCode: Number(error?.code ?? 0), stdout, stderr });
      },
    );
    child.stdin?.end(text);
  });
}
