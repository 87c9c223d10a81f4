import type { Test } from 'tap';
import { testContents } from './contents.ts';
import { testHostileTars } from './hostile.ts';
import { testSnapshots } from './snapshots.ts';
import { testStacks } from './stacks.ts';
import type { MakeLayers } from './system.ts';

export { type LayerSystem, read } from './system.ts';

/** What every LayerStore with its Snapshotter must do. */
export function testLayers(t: Test, make: MakeLayers): void {
  testContents(t, make);
  testStacks(t, make);
  testHostileTars(t, make);
  testSnapshots(t, make);
}
