import { open } from 'node:fs/promises';
import t from 'tap';
import { fromBuffer, isElf, neededLibraries, readSections } from '../../../images/kernel/elf.ts';
import { fakeProgram } from '../support/fake-module.ts';
import { lacks, outputOf } from '../support/programs.ts';

t.test('the libraries that a program needs are found', async (t) => {
  t.strictSame(await neededLibraries(fromBuffer(fakeProgram(['libc.so.6', 'libm.so.6']))), [
    'libc.so.6',
    'libm.so.6',
  ]);
});

const skip = process.platform === 'linux' ? lacks('readelf') : 'this Node is no ELF file';
t.test('the libraries of Node itself are those that readelf sees', { skip }, async (t) => {
  const file = await open(process.execPath);
  const found = await neededLibraries(async (offset, length) => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  });
  await file.close();
  const text = outputOf('readelf', ['-d', process.execPath]);
  t.strictSame(
    found,
    [...text.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, name]) => name!),
  );
});

t.test('what is no ELF file is told from what is', async (t) => {
  t.notOk(await isElf(fromBuffer(Buffer.from('#!/bin/sh\n'))));
  t.notOk(await isElf(fromBuffer(Buffer.alloc(0))));
  await t.rejects(readSections(fromBuffer(Buffer.from('\x7fELF'))), { message: /not a 64-bit/ });
});
