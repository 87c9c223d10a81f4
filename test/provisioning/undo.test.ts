import t from 'tap';
import { UndoFailed, UndoStack } from '../../provisioning/undo.ts';

t.test('undoes the last thing first, and gives the cause back', async (t) => {
  const undo = new UndoStack();
  const done: string[] = [];
  for (const what of ['a', 'b'])
    undo.defer(what, async () => {
      done.push(what);
    });
  const cause = new Error('cause');
  t.equal(await undo.unwind(cause), cause);
  t.same(done, ['b', 'a']);
});

t.test('each undo runs once, whoever unwinds', async (t) => {
  const undo = new UndoStack();
  let runs = 0;
  undo.defer('it', async () => {
    runs += 1;
  });
  await Promise.all([undo.unwind(null), undo.unwind(null), undo[Symbol.asyncDispose]()]);
  t.equal(runs, 1);
});

t.test('an undo that fails is told beside the cause, and the others still run', async (t) => {
  const undo = new UndoStack();
  let ran = false;
  undo.defer('remove the directory', async () => {
    ran = true;
  });
  undo.defer('remove the disk', async () => Promise.reject(new Error('EBUSY')));
  const cause = new Error('no space');
  const error = await undo.unwind(cause);
  t.ok(error instanceof UndoFailed);
  t.equal((error as UndoFailed).message, 'no space\ncould not remove the disk: EBUSY');
  t.equal((error as UndoFailed).cause, cause);
  t.ok(ran);
});

t.test('what was committed stays', async (t) => {
  const undo = new UndoStack();
  undo.defer('it', async () => {
    t.fail('undone');
  });
  undo.commit();
  await undo[Symbol.asyncDispose]();
  t.pass();
});

t.test('at the end of a scope, what could not be undone is thrown', async (t) => {
  const undo = new UndoStack();
  undo.defer('remove it', async () => Promise.reject(new Error('busy')));
  await t.rejects(undo[Symbol.asyncDispose](), { message: /could not remove it: busy/ });
});
