import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Forward } from '../../../drivers/port-forwarder.ts';

/** A program of this computer. */
export interface Holder {
  readonly pid: number;
  readonly name: string;
}

/**
 * Who listens where a forward was to: by Linux's /proc. Null when that cannot be known, as of another user's programs and
 * on other systems.
 */
export async function findHolder(forward: Forward): Promise<Holder | null> {
  const { protocol } = forward;
  const texts = await Promise.all(
    [protocol, `${protocol}6`].map((table) => readFile(`/proc/net/${table}`, 'utf8').catch(() => '')),
  );
  const inodes = new Set(texts.flatMap((text) => listeningInodes(text, forward)));
  if (inodes.size === 0) return null;
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const directory = `/proc/${entry}/fd`;
    for (const fd of await readdir(directory).catch(() => [])) {
      const target = await readlink(`${directory}/${fd}`).catch(() => '');
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode === undefined || !inodes.has(inode)) continue;
      // Its own name in the kernel is that of a thread.
      const [command = ''] = (await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '')).split('\0');
      return { pid: Number(entry), name: basename(command) || 'a program' };
    }
  }
  return null;
}

/** TCP's LISTEN, and what a UDP socket is in that nobody is connected to (net/tcp_states.h). */
const listening = { tcp: '0A', udp: '07' };

/** Of /proc/net/{tcp,udp}[6]: inodes of the sockets that are in the way of this forward. */
export function listeningInodes(text: string, { protocol, hostAddress, hostPort }: Forward): string[] {
  const port = hostPort.toString(16).toUpperCase().padStart(4, '0');
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , state]) => {
      const [address = '', ofPort] = local.split(':');
      return ofPort === port && state === listening[protocol] && isInTheWay(address, hostAddress);
    })
    .flatMap((fields) => fields[9] ?? []);
}

/** `hex` as /proc has it: words of four octets, each little-endian. */
function isInTheWay(hex: string, hostAddress: string): boolean {
  const isAny = (address: string) => /^0+$/.test(address);
  if (isAny(hex) || hostAddress === '0.0.0.0' || hostAddress === '::') return true;
  if (hostAddress.includes(':')) return hex.length === 32;
  const octets = hostAddress.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'));
  return hex.slice(-8) === octets.reverse().join('').toUpperCase();
}
