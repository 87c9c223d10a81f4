/**
 * `--chmod`: octal, or as chmod(1) has it (`u+x,go-w,a=rX`). Gives the function from a file's mode to its new one.
 * Throws Error for what is neither.
 */
export function changeMode(text: string): (mode: number, isDirectory: boolean) => number {
  if (/^[0-7]{1,5}$/.test(text)) {
    const mode = Number.parseInt(text, 8);
    if (mode <= 0o7777) return () => mode;
  }
  const clauses = text.split(',').map((clause) => /^([ugoa]*)((?:[-+=][rwxXstugo]*)+)$/.exec(clause));
  if (text === '' || clauses.some((clause) => !clause)) {
    throw new Error(`invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`);
  }
  return (mode, isDirectory) =>
    clauses.reduce((now, clause) => applyClause(now, isDirectory, clause![1]! || 'a', clause![2]!), mode);
}

const shifts: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };

function applyClause(mode: number, isDirectory: boolean, who: string, actions: string): number {
  const people = who.includes('a') ? ['u', 'g', 'o'] : [...who];
  let now = mode;
  for (const [, operator, letters] of actions.matchAll(/([-+=])([rwxXstugo]*)/g)) {
    let bits = 0;
    let mask = 0;
    for (const person of people) {
      const shift = shifts[person]!;
      mask |= 0o7 << shift;
      if (person === 'u') mask |= 0o4000;
      if (person === 'g') mask |= 0o2000;
      for (const letter of letters!) bits |= bitsOf(letter, person, shift, now, isDirectory);
    }
    if (who.includes('a') || people.length === 3) mask |= 0o1000;
    if (operator === '+') now |= bits;
    else if (operator === '-') now &= ~bits;
    else now = (now & ~mask) | bits;
  }
  return now;
}

function bitsOf(letter: string, person: string, shift: number, mode: number, isDirectory: boolean): number {
  switch (letter) {
    case 'r':
      return 0o4 << shift;
    case 'w':
      return 0o2 << shift;
    case 'x':
      return 0o1 << shift;
    case 'X':
      return isDirectory || (mode & 0o111) !== 0 ? 0o1 << shift : 0;
    case 's':
      return person === 'u' ? 0o4000 : person === 'g' ? 0o2000 : 0;
    case 't':
      return 0o1000;
    default:
      return ((mode >> shifts[letter]!) & 0o7) << shift;
  }
}
