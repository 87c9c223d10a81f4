/**
 * The first `length` bytes of an iteration and what came with them; fewer only at its end. Give both to {@link resumed}.
 */
export async function headOf(iterator: AsyncIterator<Buffer>, length: number): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < length) {
    const next = await iterator.next();
    if (next.done) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  return head;
}

/**
 * An iteration whose first bytes were looked at, whole again. Passes promises on as they are: an async generator in
 * between costs several turns of the microtask queue a piece, which shows when a tar of 200 MB comes in pieces of 20 KB.
 */
export function resumed(head: Buffer, rest: AsyncIterator<Buffer>): AsyncIterable<Buffer> {
  let held: Buffer | null = head.length > 0 ? head : null;
  return iterable({
    next() {
      if (held === null) return rest.next();
      const value = held;
      held = null;
      return Promise.resolve({ done: false, value });
    },
    return: () => endOf(rest),
  });
}

/** An iteration that is known only when its first piece is asked for; to be iterated over once. */
export function deferred(open: () => Promise<AsyncIterable<Buffer>>): AsyncIterable<Buffer> {
  let opening: Promise<AsyncIterator<Buffer>> | null = null;
  let opened: AsyncIterator<Buffer> | null = null;
  return iterable({
    next() {
      if (opened) return opened.next();
      opening ??= open().then((pieces) => {
        opened = pieces[Symbol.asyncIterator]();
        return opened;
      });
      return opening.then((pieces) => pieces.next());
    },
    return: async () => (opening ? endOf(await opening) : { done: true, value: undefined }),
  });
}

function iterable(iterator: AsyncIterator<Buffer>): AsyncIterable<Buffer> {
  return { [Symbol.asyncIterator]: () => iterator };
}

async function endOf(iterator: AsyncIterator<Buffer>): Promise<IteratorResult<Buffer>> {
  await iterator.return?.();
  return { done: true, value: undefined };
}
