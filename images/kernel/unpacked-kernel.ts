import { decompress } from 'fzstd';
import { fromBuffer, isElf, readSections } from './elf.ts';

/**
 * The kernel within an amd64 `vmlinuz`: the ELF file that it would unpack itself to, for machines whose
 * processor is emulated and slow at that. Null when it is compressed in another way than with zstd, or cannot
 * be started directly (PVH).
 *
 * The kernel's Documentation/arch/x86/boot.rst has the header: from protocol 2.08 on, payload_offset and
 * payload_length, counted from the end of the setup sectors; the payload ends with its unpacked size.
 */
export async function unpackedKernel(vmlinuz: Buffer): Promise<Buffer | null> {
  if (vmlinuz.length < 0x250 || vmlinuz.toString('latin1', 0x202, 0x206) !== 'HdrS') return null;
  if (vmlinuz.readUInt16LE(0x206) < 0x208) return null;
  const setupSectors = vmlinuz[0x1f1]! || 4;
  const start = (setupSectors + 1) * 512 + vmlinuz.readUInt32LE(0x248);
  const payload = vmlinuz.subarray(start, start + vmlinuz.readUInt32LE(0x24c));
  if (payload.length < 8 || payload.readUInt32LE(0) !== zstdMagic) return null;
  const kernel = Buffer.alloc(payload.readUInt32LE(payload.length - 4));
  decompress(payload.subarray(0, -4), kernel);
  return (await startsDirectly(kernel)) ? kernel : null;
}

/** RFC 8878, section 3.1.1. */
const zstdMagic = 0xfd2fb528;

/** XEN_ELFNOTE_PHYS32_ENTRY of Xen's elfnote.h: where a PVH loader jumps to. */
const entryNote = { name: 'Xen\0', type: 18 };

async function startsDirectly(kernel: Buffer): Promise<boolean> {
  const read = fromBuffer(kernel);
  if (!(await isElf(read))) return false;
  const notes = await (await readSections(read)).find(({ name }) => name === '.notes')?.bytes();
  for (let at = 0; notes && at + 12 <= notes.length; ) {
    const [nameLength, length, type] = [0, 4, 8].map((field) => notes.readUInt32LE(at + field));
    const name = notes.toString('latin1', at + 12, at + 12 + nameLength!);
    if (name === entryNote.name && type === entryNote.type) return true;
    at += 12 + padded(nameLength!) + padded(length!);
  }
  return false;
}

function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}
