/** Where a Dockerfile may be: the name that nobody gave is looked for in small letters, too, as by BuildKit and moby. */
export function dockerfileNames(name: string): readonly string[] {
  return name === 'Dockerfile' ? [name, 'dockerfile'] : [name];
}
