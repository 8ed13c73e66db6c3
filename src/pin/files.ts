import type { InputFile, TextOrProblem } from '../files/disk.ts';
import { applyEdits, type Edit } from '../files/edit.ts';
import { type FindOptions, imagesIn } from '../files/images.ts';
import { type PinStyle, type PlannedImage, planImage, type Sources } from './plan.ts';

/** A place in a file, with what is to be said of it. */
export interface Remark {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** What is to happen to a file. */
export interface PlannedFile {
  readonly file: InputFile;
  /** Undefined where the file was not, or could not be read. */
  readonly text: string | undefined;
  readonly images: readonly PlannedImage[];
  /** Empty where anything failed: such a file is not written. */
  readonly edits: readonly Edit[];
  /** Why the file is left as it is, beside images that failed. */
  readonly faults: readonly Remark[];
  readonly notes: readonly Remark[];
}

/** How files are read, and what is found in them. */
export interface PinFilesOptions {
  readonly read: (file: InputFile) => Promise<TextOrProblem>;
  readonly find: FindOptions;
  readonly style: PinStyle;
  readonly sources: Sources;
  /** Told of each file when its look-ups are done. */
  readonly onPlanned: (planned: PlannedFile) => void;
}

/**
 * Plans all files. Look-ups begin with the first file that is read, and go on while others are; a
 * file of which one image failed keeps all of its bytes, and the others do not mind.
 */
export async function planFiles(
  files: readonly InputFile[],
  options: PinFilesOptions,
): Promise<PlannedFile[]> {
  const plans: Promise<PlannedFile>[] = [];
  for (const file of files) {
    // oxlint-disable-next-line no-await-in-loop -- one text in memory is parsed after the other
    const read = file.leadsOut === true ? 'unread' : await options.read(file);
    plans.push(planFile(file, read, options));
    // Lets the look-ups that it began go out before the next file is parsed.
    // oxlint-disable-next-line no-await-in-loop
    await nextTurn();
  }
  return Promise.all(plans);
}

async function planFile(
  file: InputFile,
  read: TextOrProblem | 'unread',
  options: PinFilesOptions,
): Promise<PlannedFile> {
  const planned = await planText(file, read, options);
  options.onPlanned(planned);
  return planned;
}

/** Whoever wrote the links of a checkout is not to choose what is changed elsewhere. */
const LEADS_OUT = 'leads out of the folder, and is left alone; name it to have it pinned';

async function planText(
  file: InputFile,
  read: TextOrProblem | 'unread',
  { find, style, sources }: PinFilesOptions,
): Promise<PlannedFile> {
  const unread = { file, text: undefined, images: [], edits: [], faults: [], notes: [] };
  if (read === 'unread') {
    return { ...unread, notes: [{ line: 1, column: 1, message: LEADS_OUT }] };
  }
  if ('problem' in read) {
    return { ...unread, faults: [{ line: 1, column: 1, message: read.problem }] };
  }
  const { text } = read;
  const { images: found, faults, notes } = imagesIn(text, find);
  const images = await Promise.all(found.map((image) => planImage(image, style, sources)));
  const edits = images.flatMap((image) => image.edits);
  const planned = { file, text, images, edits, faults, notes };
  return hasFailed(planned) ? leftAsItWas(planned) : planned;
}

/** A file to which nothing was written, whatever was planned. */
export function leftAsItWas(planned: PlannedFile): PlannedFile {
  const images = planned.images.map((image): PlannedImage => {
    const isPlanned = image.outcome === 'pinned' || image.outcome === 'refreshed';
    if (!isPlanned) return image;
    return { ...image, outcome: 'not_written', to: image.image.reference, edits: [] };
  });
  return { ...planned, images, edits: [] };
}

/** Tells whether nothing may be written to a file. */
export function hasFailed({ faults, images }: PlannedFile): boolean {
  return faults.length > 0 || images.some(({ outcome }) => outcome === 'failed');
}

/** The text of a file after its edits; undefined where it could not be read. */
export function textAfter({ text, edits }: PlannedFile): string | undefined {
  return text === undefined ? undefined : applyEdits(text, edits);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
