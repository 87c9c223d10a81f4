import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Test } from 'tap';
import type { EngineEvent } from '../../guest/events/event.ts';
import { type Images, openImages } from '../../guest/images/index.ts';
import type { ImageUser } from '../../guest/images/remove.ts';
import { parseReference } from '../../guest/reference.ts';
import { openDatabase } from '../../guest/store/database.ts';
import { type EnginePaths, enginePaths } from '../../guest/store/paths.ts';
import { makeTar } from './tar.ts';

export interface ImageSystem extends Images {
  readonly paths: EnginePaths;
  /** What was published, as `action name`. */
  readonly said: string[];
  /** Containers by image id; to be changed by the test. */
  readonly users: Map<string, ImageUser[]>;
  /** An image of one layer with one file. */
  make(name: string, content?: string): ReturnType<Images['maker']['importTar']>;
}

/** Images on a fresh data root, with no engine around them. Layers need root. */
export async function imageSystem(t: Test): Promise<ImageSystem> {
  const dataRoot = t.testdir({});
  const paths = enginePaths(dataRoot, join(dataRoot, 'run'));
  const said: string[] = [];
  const users = new Map<string, ImageUser[]>();
  const publish = ({ action, actor }: EngineEvent) => void said.push(`${action} ${actor.attributes.name}`);
  const db = openDatabase(paths.database);
  const parts = await openImages({ db, paths, events: { publish }, usersOf: (id) => users.get(id) ?? [] });
  const make: ImageSystem['make'] = (name, content = name) =>
    parts.maker.importTar(Readable.from([makeTar([{ path: 'f', content }])]), {
      config: {},
      comment: '',
      name: parseReference(name),
    });
  return { ...parts, paths, said, users, make };
}
