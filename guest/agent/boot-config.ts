import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { type BootConfig, bootConfigItem, mountTypes } from '../wire/index.ts';

const texts = z.array(z.string());

const schema = z.object({
  version: z.literal(1),
  hostname: z.string().min(1),
  ssh: z.object({ authorizedKeys: texts, hostKey: z.string() }),
  tls: z.object({ ca: z.string(), cert: z.string(), key: z.string() }),
  engine: z.object({
    labels: texts,
    insecureRegistries: texts,
    registryMirrors: texts,
    env: z.record(z.string(), z.string()),
  }),
  host: z.object({ proxies: z.record(z.string(), z.string()), authorities: texts }),
  directories: z.array(z.object({ path: z.string().startsWith('/'), readonly: z.boolean() })),
  directoriesBy: z.enum(mountTypes),
}) satisfies z.ZodType<BootConfig>;

const item = `/sys/firmware/qemu_fw_cfg/by_name/${bootConfigItem}/raw`;

/** What the host handed this VM at power-on. Throws with a sentence for the host's user. */
export async function readBootConfig(path = item): Promise<BootConfig> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new Error(`the host gave this machine no boot config (fw_cfg item ${bootConfigItem})`, { cause });
  });
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    // The text holds private keys: the cause names fields only, and is for the log.
    throw new Error('the boot config is not of the version that this agent reads; upgrade the machine', {
      cause: cause instanceof z.ZodError ? cause : undefined,
    });
  }
}
