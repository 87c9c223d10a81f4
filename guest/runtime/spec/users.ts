import { InvalidParameter } from '../../errors.ts';

export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  readonly home: string;
}

const maxId = 2 ** 31 - 1;

/**
 * `user[:group]` by the image's own /etc/passwd and /etc/group (their texts; empty when absent), as dockerd
 * does: names or numbers, a number need not be listed, a user's groups come along unless a group was given.
 * Throws InvalidParameter.
 */
export function resolveUser(
  wish: string,
  files: { readonly passwd: string; readonly group: string },
  groupAdd: readonly string[] = [],
): ResolvedUser {
  const [userWord = '', groupWord] = wish.split(':');
  const users = rows(files.passwd, 6);
  const groups = rows(files.group, 3);
  const number = idOf(userWord);
  const row = users.find((fields) =>
    number === null ? fields[0] === (userWord || 'root') : fields[2] === `${number}`,
  );
  if (!row && number === null && userWord !== '') {
    throw new InvalidParameter(`unable to find user ${userWord}: no matching entries in passwd file`);
  }
  const uid = row ? checkId(row[2]!) : (number ?? 0);
  const gid = groupWord ? groupId(groupWord, groups, 'unable') : row ? checkId(row[3]!) : 0;
  const own =
    row && !groupWord
      ? groups
          .filter((fields) => (fields[3] ?? '').split(',').includes(row[0]!))
          .map((fields) => checkId(fields[2]!))
      : [];
  const added = groupAdd.map((word) => groupId(word, groups));
  return { uid, gid, additionalGids: [...new Set([gid, ...own, ...added])], home: row?.[5] || '/' };
}

/** Those that are added are told of with a capital, as dockerd does. */
function groupId(word: string, groups: readonly string[][], unable = 'Unable'): number {
  const number = idOf(word);
  if (number !== null) return number;
  const row = groups.find((fields) => fields[0] === word);
  if (!row) throw new InvalidParameter(`${unable} to find group ${word}: no matching entries in group file`);
  return checkId(row[2]!);
}

/** Null when the word is not a number, and so a name. */
function idOf(word: string): number | null {
  return /^[-+]?\d+$/.test(word) ? checkId(word) : null;
}

function checkId(text: string): number {
  const id = Number(text);
  if (!/^\d+$/.test(text) || id > maxId)
    throw new InvalidParameter(`uids and gids must be in range 0-${maxId}`);
  return id;
}

function rows(text: string, fields: number): string[][] {
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .filter((row) => row.length >= fields);
}
