import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { SampleRegistry } from '../demo/sample-registry.ts';

/** How the files of a folder are written. */
export type Writing = keyof typeof ARGS;

/** What is in one line, the program reads by itself; a text over several lines takes the whole parser. */
const ARGS = {
  plain: '["--listen=:8080", "--log-level=info"]',
  block: `
            - |
              --listen=:8080
              --log-level=info`,
};

/** Files of which each has two of a registry's tags. */
export interface ManifestFolder {
  readonly path: string;
  /** Throws where a file is anything but pinned. */
  readonly expectPinned: () => void;
}

export interface ManifestFolderOptions {
  /** In which the folder is made: a file system is slow where many files have just been removed. */
  readonly directory: string;
  readonly files: number;
  readonly registry: SampleRegistry;
  readonly tags: readonly string[];
}

export function writeManifests(
  { directory, files, registry, tags }: ManifestFolderOptions,
  writing: Writing,
): ManifestFolder {
  const path = mkdtempSync(join(directory, 'manifests-'));
  const names = Array.from({ length: files }, (_, index) => join(path, `app-${index}.yaml`));
  const textOf = (index: number, spelled: (tag: string) => string): string => {
    const tagAt = (place: number): string => spelled(tags[place % tags.length] ?? '');
    return manifestOf(index, [tagAt(index), tagAt(index * 7 + 3)], ARGS[writing]);
  };
  names.forEach((name, index) => {
    writeFileSync(
      name,
      textOf(index, (tag) => `${registry.host}/${tag}`),
    );
  });
  const pinned = (tag: string): string =>
    `${registry.host}/${tag.replace(/:.*/, '')}@${registry.digestOf(tag)}`;
  return {
    path,
    expectPinned: () => {
      names.forEach((name, index) => {
        if (readFileSync(name, 'utf8') === textOf(index, pinned)) return;
        throw new Error(`${name} is not as it should be`);
      });
    },
  };
}

/**
 * Some 70 lines, as they stand in repositories: a Deployment of two containers, and a Service. `args`
 * are those of the first container.
 */
function manifestOf(index: number, [one, other]: readonly [string, string], args: string): string {
  const name = `app-${index}`;
  return `# ${name}, as team ${index % 9} runs it
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels: &labels
    app.kubernetes.io/name: ${name}
    app.kubernetes.io/part-of: shop
spec:
  replicas: 2
  selector:
    matchLabels: *labels
  template:
    metadata:
      labels: *labels
    spec:
      serviceAccountName: ${name}
      securityContext:
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: web
          image: ${one}
          args: ${args}
          ports:
            - name: http
              containerPort: 8080
          env:
            - name: POD_NAME
              valueFrom:
                fieldRef:
                  fieldPath: metadata.name
            - name: GOMAXPROCS
              value: "2"
          readinessProbe:
            httpGet:
              path: /readyz
              port: http
          resources:
            requests:
              cpu: 100m
              memory: 128Mi
            limits:
              memory: 128Mi
        - name: proxy # beside the application
          image: "${other}"
          ports:
            - name: metrics
              containerPort: 9090
          volumeMounts:
            - name: config
              mountPath: /etc/proxy
              readOnly: true
      volumes:
        - name: config
          configMap:
            name: ${name}-proxy
---
apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
  selector:
    app.kubernetes.io/name: ${name}
  ports:
    - name: http
      port: 80
      targetPort: http
`;
}
