import { Command, Option } from 'commander';
import type { OsImageFiles } from '../../drivers/driver.ts';
import { PreCreateError } from '../../drivers/errors.ts';
import { defaultDriver, loadDriver } from '../../drivers/registry.ts';
import { architectures } from '../../images/os-image.ts';
import { osImage } from '../../provisioning/os-image.ts';
import { contextOf } from '../context.ts';
import { driverFlags, driverValues } from '../flags/driver.ts';
import { type ImageExtraFlags, imageExtrasFlag, imageExtrasOf } from '../flags/image-extras.ts';
import { interruptible } from '../interruption.ts';
import { forEachMachine } from '../names.ts';
import { sizeText } from '../progress/format.ts';
import { progressFor } from '../progress/progress.ts';
import { tableText } from '../table.ts';

/** Where no machine can be made, an image can be built nevertheless, for another computer. */
async function prepare(
  image: OsImageFiles,
  signal: AbortSignal,
  report: (detail: { text: string }) => void,
): Promise<void> {
  const driver = await loadDriver(defaultDriver);
  const flags = new Command();
  for (const flag of driverFlags(driver)) flags.addOption(flag);
  const options = driverValues(driver, flags.parse([], { from: 'user' }));
  await driver
    .prepare?.({ osImage: image, options }, { signal, onProgress: (text) => report({ text }) })
    .catch((error: unknown) => {
      if (!(error instanceof PreCreateError)) throw error;
      report({ text: error.message });
    });
}

export function configure(command: Command): void {
  command
    .command('build')
    .description('build the OS image, or take it from the cache')
    .addOption(new Option('--arch <ARCH>', 'of the machines that boot it').choices(architectures))
    .addOption(imageExtrasFlag())
    .option('--refresh', 'ask the mirror for newer packages')
    .option('--json', 'print progress events and the result as JSON lines')
    .action(
      async (
        options: ImageExtraFlags & { arch?: 'amd64' | 'arm64'; refresh?: boolean; json?: boolean },
        self: Command,
      ) => {
        const { store } = contextOf(self);
        const { json, with: words = [], ...wanted } = options;
        const extras = imageExtrasOf(words);
        const progress = await progressFor('', { json });
        const image = await interruptible(async (signal) => {
          const built = await progress.step('Getting the OS image', (report) =>
            osImage(store.paths.cache, { ...wanted, extras, signal, report }),
          );
          await progress.step('Preparing the first start', (report) => prepare(built, signal, report));
          return built;
        });
        const { digest, arch } = image;
        process.stdout.write(`${json ? JSON.stringify({ type: 'image', digest, arch }) : digest}\n`);
      },
    );

  command
    .command('ls')
    .description('list cached OS images')
    .option('-q, --quiet', 'print digests only')
    .option('--json', 'print a JSON array')
    .action(async ({ quiet, json }: { quiet?: boolean; json?: boolean }, self: Command) => {
      const { listOsImages } = await import('../../images/index.ts');
      const images = await listOsImages({ cacheDirectory: contextOf(self).store.paths.cache });
      if (json) process.stdout.write(`${JSON.stringify(images, null, 2)}\n`);
      else if (quiet) process.stdout.write(images.map(({ digest }) => `${digest}\n`).join(''));
      else {
        const rows = images.map((image) => [
          image.digest.slice('sha256:'.length).slice(0, 12),
          image.arch ?? '-',
          image.kernelRelease ?? '-',
          image.extras.join(',') || '-',
          image.builtAt.toISOString().replace(/\.\d+Z$/, 'Z'),
          sizeText(image.sizeBytes),
          image.broken ?? '',
        ]);
        process.stdout.write(
          tableText([['IMAGE', 'ARCH', 'KERNEL', 'WITH', 'BUILT', 'SIZE', 'ERRORS'], ...rows]),
        );
      }
    });

  command
    .command('inspect')
    .description('show what is in an OS image, as JSON')
    .argument('<digest>')
    .action(async (digest: string, _options: unknown, self: Command) => {
      const { inspectOsImage } = await import('../../images/index.ts');
      const found = await inspectOsImage({ cacheDirectory: contextOf(self).store.paths.cache, digest });
      process.stdout.write(`${JSON.stringify(found, null, 4)}\n`);
    });

  command
    .command('rm')
    .description('remove OS images from the cache; machines that boot one must not run')
    .argument('<digests...>')
    .action(async (digests: string[], _options: unknown, self: Command) => {
      const { removeOsImage } = await import('../../images/index.ts');
      const cacheDirectory = contextOf(self).store.paths.cache;
      await forEachMachine(digests, async (digest) => {
        await removeOsImage({ cacheDirectory, digest });
        process.stdout.write(`${digest}\n`);
      });
    });
}
