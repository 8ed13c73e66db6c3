import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { asFile } from './support/as-file.ts';
import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { Kubectl } from './support/kubectl.ts';
import { LiveDeployment } from './support/live-deployment.ts';
import { pinsOf, untouched } from './support/pins.ts';
import { Webhook } from './support/webhook.ts';
import { podTemplateOf, type StoredObject, workload } from './support/workload.ts';

const environment = readEnvironment();
const admin = new Kubectl(environment.kubeconfig);
const CONFIGURATION = ['mutatingwebhookconfiguration', 'tagpin'] as const;

const webhook = new Webhook(environment);
let installed: StoredObject;

beforeAll(async () => {
  await webhook.start();
  installed = await admin.get<StoredObject>(...CONFIGURATION);
});
afterAll(() => webhook.stop());

/** Whether the API server calls tagpin for a new Pod; nothing is stored. */
async function isCalled({ kubectl, image }: LiveDeployment): Promise<boolean> {
  const pod = workload('Pod', { name: 'asks', image: image.tagged });
  const { stdout } = await kubectl.apply(pod, '--dry-run=server', '--output=json');
  return pinsOf(podTemplateOf(JSON.parse(stdout) as object)).originals !== undefined;
}

async function installAgain(web: LiveDeployment): Promise<void> {
  await admin.run(['create', '--filename=-'], { input: asFile(installed) });
  await eventually(async () => expect(await isCalled(web)).toBe(true));
}

describe('a pinned Deployment whose cluster has lost tagpin', () => {
  it('rolls nothing out until it is applied again', async () => {
    const web = await LiveDeployment.apply(environment);
    const pins = await web.pins();
    await admin.run(['delete', ...CONFIGURATION]);
    try {
      await eventually(async () => expect(await isCalled(web)).toBe(false));
      const { edited, applied } = await web.editThenApply();
      expect(edited).toEqual({ ...pins, revisions: 1 });
      expect(applied.images).toEqual(untouched(web.image).images);
      expect(applied.revisions).toBe(2);
    } finally {
      await installAgain(web);
    }
  });
});
