/** A kubeconfig of a server, with the token `canary-token`. */
export function kubeconfigText(origin: string, certificate: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'c', cluster: { server: origin, 'certificate-authority-data': btoa(certificate) } },
    ],
    users: [{ name: 'u', user: { token: 'canary-token' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
}
