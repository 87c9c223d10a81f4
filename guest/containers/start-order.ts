import type { ContainerRecord } from './container-record.ts';
import { legacyLinks } from './links.ts';
import { joinedContainer } from './namespaces.ts';

type Has = { readonly record: Pick<ContainerRecord, 'id' | 'name' | 'hostConfig'> };

/** Each after those whose namespaces it joins or that it is linked to, which must run when it starts. */
export function inStartOrder<Item extends Has>(containers: readonly Item[]): Item[] {
  const byReference = new Map(
    containers.flatMap((item) => [[item.record.id, item] as const, [item.record.name, item] as const]),
  );
  const ordered = new Set<Item>();
  const visiting = new Set<Item>();
  const visit = (item: Item | undefined) => {
    if (!item || visiting.has(item)) return;
    visiting.add(item);
    for (const reference of needs(item)) visit(byReference.get(reference));
    ordered.add(item);
  };
  for (const item of containers) visit(item);
  return [...ordered];
}

function needs({ record: { hostConfig } }: Has): string[] {
  const { NetworkMode, PidMode, IpcMode } = hostConfig;
  const joined = [NetworkMode, PidMode, IpcMode].map(joinedContainer).filter((id) => id !== null);
  return [...joined, ...legacyLinks(hostConfig).map(({ target }) => target)];
}
