import type { OnProgress } from '../../registry/progress.ts';
import type { BuildEvent } from '../build.ts';
import type { Vertex, VertexPart } from './progress.ts';

/** Ends of a download, and of all that is done with a layer (guest/registry/layer-downloads.ts, pull.ts). */
const downloaded = ['Verifying Checksum', 'Download complete'];
const there = ['Pull complete', 'Already exists'];

/** Shows the lines of a pull as parts of a vertex, one for each layer that travels and is unpacked. */
export function pullProgress(
  vertex: Pick<Vertex, 'part'>,
  emit: (event: BuildEvent & { readonly kind: 'pull' }) => void,
): OnProgress {
  const parts = new Map<string, VertexPart>();
  const part = (id: string) => {
    const found = parts.get(id) ?? vertex.part(id);
    parts.set(id, found);
    return found;
  };
  return (line) => {
    emit({ kind: 'pull', line });
    const { id, status = '', progressDetail: { current = 0, total = 0 } = {} } = line;
    if (id === undefined || status.startsWith('Pulling from')) return;
    const layer = `sha256:${id}`;
    if (status === 'Downloading') part(layer).to(current, total);
    else if (status === 'Extracting') part(`extracting ${layer}`).to(current, total);
    else if (downloaded.includes(status)) part(layer).end();
    else if (there.includes(status)) {
      part(layer).end();
      parts.get(`extracting ${layer}`)?.end();
    }
  };
}
