import { Command } from 'commander';
import { addPinCommand } from '../../src/commands/pin.ts';
import { processStreams } from '../../src/commands/streams.ts';
import { computeDigest } from '../../src/image/digest.ts';
import { registriesOf } from './registries.ts';

// `tagpin pin` as a process of its own, whose registry has a digest for everything.
const program = new Command();
addPinCommand(program, {
  streams: processStreams(),
  environment: {},
  openRegistries: () =>
    Promise.resolve(
      registriesOf({
        resolve: (image) =>
          Promise.resolve({ digest: computeDigest(Buffer.from(image)), mediaType: undefined }),
      }),
    ),
  end: (code) => {
    process.exitCode = code;
  },
});
await program.parseAsync(process.argv);
