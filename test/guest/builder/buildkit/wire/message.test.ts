import t from 'tap';
import {
  bytes,
  flag,
  int,
  long,
  map,
  message,
  nested,
  repeated,
  text,
  time,
} from '../../../../../guest/builder/buildkit/wire/message.ts';

const Inner = message({ name: text(1), count: int(2) });
const Whole = message({
  title: text(1),
  number: int(2),
  big: long(3),
  on: flag(4),
  raw: bytes(5),
  inner: nested(6, Inner),
  words: repeated(text(7)),
  inners: repeated(nested(8, Inner)),
  table: map(9, text(2)),
  at: time(10),
});

t.test('what protoc encodes is what stands here', (t) => {
  // Of protobuf.dev, "Encoding": field 2 with 150, field 1 with "testing".
  t.same(Inner.encode(Inner.of({ count: 150 })), Buffer.from('109601', 'hex'));
  t.same(Inner.encode(Inner.of({ name: 'testing' })), Buffer.from('0a0774657374696e67', 'hex'));
  t.same(Inner.encode(Inner.of({ count: -2 })), Buffer.from('10feffffffffffffffff01', 'hex'));
  t.same(Inner.encode(Inner.of({})), Buffer.alloc(0), 'zero values are not written');
  t.end();
});

t.test('every kind of field comes back as it went', (t) => {
  const value = Whole.of({
    title: 'größe',
    number: 2 ** 40,
    big: -1_700_000_000_123_456_789n,
    on: true,
    raw: Buffer.from([0, 255]),
    inner: { name: '', count: 3 },
    words: ['a', '', 'b'],
    inners: [Inner.of({}), Inner.of({ count: -7 })],
    table: new Map([
      ['k', 'v'],
      ['', 'w'],
    ]),
    at: new Date(-1234),
  });
  t.same(Whole.decode(Whole.encode(value)), value);
  t.same(Whole.decode(Buffer.alloc(0)), Whole.of({}), 'absent fields have their zero values');
  t.end();
});

t.test('unknown fields are skipped, whatever their kind', (t) => {
  const more = Buffer.from('6a0161' + '7001' + '790000000000000000' + '8501' + '00000000', 'hex');
  t.same(Inner.decode(Buffer.concat([more, Buffer.from('1005', 'hex')])), { name: '', count: 5 });
  t.end();
});

t.test('hostile bytes are refused', (t) => {
  for (const hex of [
    '0a',
    '0aff01',
    '10',
    '10ffffffffffffffffffff',
    '0a05616263',
    '0b',
    '1205616263',
    '09ff',
  ])
    t.throws(() => Inner.decode(Buffer.from(hex, 'hex')), { message: /^malformed message/ }, hex);
  t.end();
});
