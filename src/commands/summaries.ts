/** All commands in the order of the help, each with what it is for. */
export const SUMMARIES = {
  serve: 'Answer admission reviews at /admission/pin, /admission/enforce, /admission/warn.',
  resolve: 'Print the digests that tags have now.',
  tags: 'List the tags of a repository, or those of one digest.',
  inspect: 'Show what stands behind a tag or a digest.',
  layers: 'List the layers of an image, or the files of one layer.',
  manifest: 'Print the manifest or the index of an image, byte for byte.',
  config: 'Print the config of an image, byte for byte.',
  blob: 'Write a blob, such as a layer, to standard output.',
  pin: 'Write digests into manifests, and change nothing else in them.',
  check: 'Check that the images of manifests carry a digest.',
  fn: 'Pin or check a ResourceList from standard input, as a function of kustomize.',
  audit: 'Say of every workload of a cluster whether it is pinned, and to what is still there.',
  onboard: 'Tell what labelling a namespace would change, now and on the next rollout.',
  explain: 'Show step by step how the webhook looks an image up.',
  doctor: 'Look at an installation: whether tagpin is called, and what keeps it from working.',
  completion: 'Print a script that completes command lines in a shell.',
} as const;

export type CommandName = keyof typeof SUMMARIES;

/** Tells whether a word of a command line is a command. */
export function isCommandName(word: string): word is CommandName {
  return Object.hasOwn(SUMMARIES, word);
}
