import { randomInt } from 'node:crypto';

const adjectives =
  'able amber ample azure bold brave brisk bright broad calm candid clear clever coral crisp deft eager early easy exact fair fine firm fleet fond frank fresh gentle glad golden grand green happy hardy honest humble ideal jolly keen kind level light lively lucid lucky mellow merry mild modest neat noble open patient plain polite prime proud quick quiet rapid ready rosy serene sharp silver simple smart snug solid sound spry steady still sunny sure swift tidy trusty upbeat vivid warm wise witty'.split(
    ' ',
  );
/** People who made computing, networks and their mathematics. */
const surnames =
  'adleman allen backus baran bartik berners boole brooks cerf church clarke cocke codd conway cray dahl davies diffie dijkstra eckert engelbart estrin euler feinler floyd gauss godel goldberg goldwasser hamilton hamming hellman hinton hoare hopper huffman iverson jennings johnson kahan kahn kay keller kernighan kilby kleinrock knuth lamport lampson liskov lovelace mauchly mccarthy metcalfe milner minsky naur neumann noether noyce nygaard perlis perlman pascal postel ramanujan reddy ritchie rivest roberts shamir shannon sinclair stallman stearns sutherland tarjan thacker thompson torvalds turing ullman valiant wilkes wilkinson wing wirth yao zuse'.split(
    ' ',
  );

/** `adjective_surname`, with a digit when asked for a further try. */
export function randomName(attempt = 0, pick: (below: number) => number = randomInt): string {
  const name = `${adjectives[pick(adjectives.length)]}_${surnames[pick(surnames.length)]}`;
  return attempt === 0 ? name : `${name}${pick(10 ** attempt)}`;
}

/** What names may be (moby, RestrictedNameChars). */
export const namePattern = /^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
